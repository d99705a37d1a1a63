"""The sale: what is for sale, who may buy it, money, goods and the record of it. Knows no frame and no Qt."""

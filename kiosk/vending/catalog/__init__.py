"""The products that the machine sells, and the amounts and currency of their prices."""

"""Product pictures, tiles and the carousel that shows them."""

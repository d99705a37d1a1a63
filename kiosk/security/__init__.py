"""Who may read or write a file, and PINs."""

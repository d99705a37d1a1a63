"""Who may read or change a file of the machine, and PINs."""

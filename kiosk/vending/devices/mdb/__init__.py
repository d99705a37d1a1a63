"""The driver of a cashless reader on MDB, through a serial interface."""

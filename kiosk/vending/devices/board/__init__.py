"""The driver of a dispenser board on a serial line."""

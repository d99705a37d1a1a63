"""Puts a machine together from its parts, starts it in order and stops it in the reverse order."""

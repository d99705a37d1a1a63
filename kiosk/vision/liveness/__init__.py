"""Tells a living face from a picture of one."""

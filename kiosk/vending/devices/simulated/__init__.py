"""Devices that a program plays, for demonstrations and tests."""

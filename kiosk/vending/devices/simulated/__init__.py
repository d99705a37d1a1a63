"""Simulated devices, for demonstrations and tests."""

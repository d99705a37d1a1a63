"""Measures how fast engines are on this machine."""

"""Follows faces over time and fuses their estimates."""

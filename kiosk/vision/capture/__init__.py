"""Reads frames from cameras, clips and picture files."""

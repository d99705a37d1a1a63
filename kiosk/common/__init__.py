"""Helpers that every other package may use: errors, files, time, text, logging, TOML, SQLite, command lines."""

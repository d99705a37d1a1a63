"""Helpers without a subject of the kiosk: errors, files, logs, TOML, SQLite, command lines."""

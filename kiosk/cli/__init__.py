"""The commands of `kiosk`, one module each."""

"""The vision process, its supervisor in the kiosk process, and what goes between them."""

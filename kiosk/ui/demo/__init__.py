"""The windows of `kiosk demo` and the control window of a simulated sale."""

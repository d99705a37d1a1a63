"""What keeps the window going: Qt's event loop, the watchdog's timer, the display, sound."""

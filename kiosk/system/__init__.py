"""What keeps a machine going with nobody near: its service and watchdog, what it is plugged into, the fleet."""

"""What keeps a machine going with nobody near: the service and its watchdog, health, the fleet."""

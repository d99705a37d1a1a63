"""Reports a machine to its operator by MQTT and carries out signed orders."""

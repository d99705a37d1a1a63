"""Trains the small network that tells real faces from false detections."""

"""Trains the non-face filter, a small network that distinguishes faces from false detections."""

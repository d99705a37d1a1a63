"""Measures a network on faces that it was not trained on."""

"""Drives TensorRT's builder."""

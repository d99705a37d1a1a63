"""Writes the network as ONNX and compiles it into engines."""

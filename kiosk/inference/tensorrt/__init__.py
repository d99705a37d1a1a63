"""Runs a compiled engine on an NVIDIA GPU by TensorRT and PyCUDA."""

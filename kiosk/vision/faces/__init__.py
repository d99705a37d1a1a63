"""Finds faces in one picture, crops them to the network input and judges their quality."""

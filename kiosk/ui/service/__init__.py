"""Service mode: the operator's pages, protected by a PIN."""

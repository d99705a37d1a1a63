"""Service mode: the operator's pages behind a PIN."""

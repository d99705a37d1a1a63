"""The pages of service mode, one module each."""

"""The pages of service mode, one subject per module."""

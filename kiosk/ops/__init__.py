"""What keeps a machine in service beside its sale: what it is plugged into, and what is written for its operator."""

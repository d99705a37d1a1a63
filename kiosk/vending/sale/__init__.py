"""The sale as a state machine: it takes events, and returns facts and commands."""

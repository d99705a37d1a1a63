"""The sale as a state machine: events in, facts and commands out."""

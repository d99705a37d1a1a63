"""The program on the vending machine: it sees, estimates and sells."""

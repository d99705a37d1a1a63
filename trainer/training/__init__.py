"""Trains the network from prepared folders."""

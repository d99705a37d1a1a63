"""Photographs and labels become a prepared folder of aligned crops."""

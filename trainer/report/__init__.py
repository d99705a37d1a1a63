"""Plots and Markdown tables that reports share."""

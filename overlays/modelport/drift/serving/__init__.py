"""Counts of what is served, in a baseline's bins: live, of predictions, of data."""

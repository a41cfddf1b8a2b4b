"""Loops that await."""

"""The async side; the sync side is derived from it."""

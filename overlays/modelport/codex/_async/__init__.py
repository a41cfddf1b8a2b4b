"""The face, awaited; its sync twin is derived from it."""

"""Loops that every platform's face needs, in two worlds: written in ``_async``, derived in ``_sync``."""

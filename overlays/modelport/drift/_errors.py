"""What can be wrong with a baseline."""

__all__ = ["BaselineError"]


class BaselineError(ValueError):
    """A baseline that cannot be made, read or used; the text says which part of it."""

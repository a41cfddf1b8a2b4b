"""What is wrong with a variable that says where predictions go."""

from __future__ import annotations

__all__ = ["SinkConfigError"]


class SinkConfigError(ValueError):
    """An environment variable that describes sinks cannot be understood.

    Attributes:
        variable: Its name.
    """

    def __init__(self, variable: str, problem: str) -> None:
        self.variable = variable
        super().__init__(f"{variable}: {problem}")

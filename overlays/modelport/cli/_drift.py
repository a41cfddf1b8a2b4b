"""``modelport drift``."""

from __future__ import annotations

import click


@click.group()
def drift() -> None:
    """Compare data with a baseline."""

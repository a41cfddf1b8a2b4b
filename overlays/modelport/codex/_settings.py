"""Where the settings of a Codex client come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.config import Setting, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SETTINGS", "from_environment"]


def _setting(key: str, *, secret: bool = False) -> Setting:
    # Ours first: a variable that only this package reads was set on purpose.
    return Setting(key, (f"MODELPORT_CODEX_{key.upper()}", f"MLOPS_{key.upper()}"), secret)


SETTINGS = (
    _setting("url"),
    _setting("user"),
    _setting("password", secret=True),
    _setting("tenant"),
    _setting("group_token", secret=True),
)


def from_environment(profile: str | None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The settings that the environment and the profiles give, by name of argument."""
    if environ is None:
        return load_settings("codex", SETTINGS, profile=profile)
    return load_settings("codex", SETTINGS, profile=profile, environ=environ)

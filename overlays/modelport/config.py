"""Settings from the environment and from profiles in a file. Reading them does no network.

The file is ``$MODELPORT_CONFIG``, else ``$XDG_CONFIG_HOME/modelport/config.toml``, else
``~/.config/modelport/config.toml``. A profile has one table for each platform:

```toml
[profiles.work.codex]
url = "https://codex.example.org"
user = "ana"
```
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from modelport.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DEFAULT_PROFILE", "Setting", "config_path", "load_settings"]

DEFAULT_PROFILE = "default"
_CONFIG_VARIABLE = "MODELPORT_CONFIG"
_PROFILE_VARIABLE = "MODELPORT_PROFILE"


@dataclass(frozen=True)
class Setting:
    """One setting of a platform: its key in a profile, and the variables that give it, the first found wins."""

    key: str
    variables: tuple[str, ...]
    secret: bool = False


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the profiles are, whether or not there is such a file."""
    if chosen := environ.get(_CONFIG_VARIABLE):
        return Path(chosen).expanduser()
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "modelport" / "config.toml"


def load_settings(
    platform: str,
    settings: Sequence[Setting],
    *,
    profile: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """The settings that were found, by key.

    A profile that is asked for by name (or by ``MODELPORT_PROFILE``) gives everything; the environment adds only the
    secrets that it lacks, so that an address and a password of different places are not mixed. Without one, the
    environment rules, and the profile ``default`` fills what it leaves open.

    Raises:
        ConfigError: The profile asked for is not there, the file is wrong, or others can read the secrets in it.
    """
    asked = profile or environ.get(_PROFILE_VARIABLE) or None
    found = _read_profile(platform, settings, asked, environ)
    from_environment = {
        setting.key: value
        for setting in settings
        if (value := next((environ[name] for name in setting.variables if environ.get(name)), None))
    }
    if asked is None:
        return {**found, **from_environment}
    secrets = {setting.key for setting in settings if setting.secret}
    return {**{key: value for key, value in from_environment.items() if key in secrets}, **found}


def _read_profile(
    platform: str, settings: Sequence[Setting], asked: str | None, environ: Mapping[str, str]
) -> dict[str, str]:
    path = config_path(environ)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if asked or environ.get(_CONFIG_VARIABLE):
            raise ConfigError(f"there is no file {path}{f' to hold the profile {asked!r}' if asked else ''}") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    import tomllib  # only those who have profiles pay for it

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    profiles = _table(document, "profiles", path)
    name = asked or DEFAULT_PROFILE
    if name not in profiles:
        if asked:
            known = ", ".join(sorted(profiles)) or "none"
            raise ConfigError(f"{path} has no profile {asked!r}; it has: {known}")
        return {}
    table = _table(_table(profiles, name, path), platform, path)
    if asked and not table:
        raise ConfigError(f"{path}: the profile {asked!r} has no table for {platform}: [profiles.{asked}.{platform}]")
    _refuse_open_secrets(path, table, settings)
    return _texts(table, settings, f"{path} [profiles.{name}.{platform}]")


def _table(parent: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: {key} must be a table")
    return cast("dict[str, Any]", value)


def _texts(table: Mapping[str, Any], settings: Sequence[Setting], where: str) -> dict[str, str]:
    known = [setting.key for setting in settings]
    if unknown := sorted(set(table) - set(known)):
        raise ConfigError(f"{where} has unknown keys: {', '.join(unknown)}; known are: {', '.join(known)}")
    if wrong := sorted(key for key, value in table.items() if not isinstance(value, str)):
        raise ConfigError(f"{where}: {', '.join(wrong)} must be text in quotes")
    return dict(table)


def _refuse_open_secrets(path: Path, table: Mapping[str, Any], settings: Sequence[Setting]) -> None:
    if os.name != "posix" or not any(table.get(setting.key) for setting in settings if setting.secret):
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"{path} holds secrets and others can read it: chmod 600 {path}")

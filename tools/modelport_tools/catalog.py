"""``openapi/catalog.toml``: which specs the project keeps."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

CATALOG = "openapi/catalog.toml"


@dataclass(frozen=True)
class Entry:
    """One version of one platform."""

    platform: str
    title: str
    version: str
    default: bool
    spec: Path
    patches: tuple[Path, ...]
    package: str
    source: str


def load(root: Path) -> list[Entry]:
    """Every entry, in the order of the file; paths are below `root`.

    Raises:
        SpecError: If the file is missing or malformed.
    """
    path = root / CATALOG
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SpecError(f"cannot be read: {error}", source=path) from error
    entries: list[Entry] = []
    try:
        for platform in values["platform"]:
            entries.extend(
                Entry(
                    platform=platform["name"],
                    title=platform["title"],
                    version=version["version"],
                    default=bool(version.get("default", False)),
                    spec=root / version["spec"],
                    patches=tuple(root / patch for patch in version.get("patches", [])),
                    package=version["package"],
                    source=version["source"],
                )
                for version in platform["version"]
            )
    except (KeyError, TypeError) as error:
        raise SpecError(f"an entry lacks {error}", source=path) from error
    return entries

"""Imports of optional packages, with an error that says what to install."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

from modelport._importing import importing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

__all__ = ["MissingExtraError", "require", "require_all"]


class MissingExtraError(ImportError):
    """A feature needs a package that only comes with one of modelport's extras.

    Attributes:
        extra: The extra that brings the package, such as ``drift``; of several packages the extras with commas.
    """

    def __init__(self, module: str, extra: str, packages: int = 1) -> None:
        self.extra = extra
        verb = "is" if packages == 1 else "are"
        super().__init__(f"{module} {verb} not installed: pip install 'modelport[{extra}]'", name=module)


def require(module: str, extra: str) -> ModuleType:
    """Import and return `module`, which the extra `extra` installs.

    Raises:
        MissingExtraError: The package is absent. An import error *inside* an installed package is passed on
            unchanged, because installing the extra again would not cure it.
    """
    try:
        with importing:
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise
        raise MissingExtraError(top, extra) from error


def require_all(modules: Mapping[str, str]) -> None:
    """Make sure of several packages at once, so that nobody has to install one after the other.

    Args:
        modules: The extra that brings it, by package.

    Raises:
        MissingExtraError: One of them is absent; the text names the extras of all that are.
    """
    absent = {module: extra for module, extra in modules.items() if importlib.util.find_spec(module) is None}
    if absent:
        raise MissingExtraError(" and ".join(absent), ",".join(dict.fromkeys(absent.values())), len(absent))

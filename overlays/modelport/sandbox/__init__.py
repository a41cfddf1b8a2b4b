"""A stateful local server that stands in for the platforms and does the work.

    with Sandbox() as box:
        print(box.codex_url)

Nothing heavy is imported until a name is used; the server process itself never imports pandas, numpy or scikit-learn.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelport.sandbox._settings import Limits, SandboxSettings
    from modelport.sandbox.app import create_app
    from modelport.sandbox.server import Sandbox, SandboxError, serve

__all__ = ["Limits", "Sandbox", "SandboxError", "SandboxSettings", "create_app", "serve"]

_HOMES = {
    "Limits": "_settings",
    "Sandbox": "server",
    "SandboxError": "server",
    "SandboxSettings": "_settings",
    "create_app": "app",
    "serve": "server",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

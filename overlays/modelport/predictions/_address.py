"""Addresses of collectors, as text."""

from __future__ import annotations

import re

__all__ = ["DEFAULT_PORT", "checked_host", "checked_port", "fluent_address"]

DEFAULT_PORT = 24224
_MAX_PORT = 65_535
_UNIX = "unix://"
# An IPv6 address without brackets has no room for a port.
_ADDRESS = re.compile(r"(unix://.+|\[.*\]|[^:\[\]]*|[^:\[\]]*:[^:\[\]]*:[^\[\]]*)(?::([0-9]+))?")


def fluent_address(address: str) -> tuple[str, int]:
    """Host and port of ``host``, ``host:port``, ``[v6]``, ``[v6]:port``, a bare IPv6 address or ``unix://path``.

    Raises:
        ValueError: None of these.
    """
    found = _ADDRESS.fullmatch(address)
    try:
        if found is not None:
            return checked_host(found[1]), checked_port(int(found[2] or DEFAULT_PORT))
    except ValueError:
        pass
    message = f"not host, host:port, [IPv6]:port or unix://path: {_harmless(address)}"
    raise ValueError(message)


def checked_host(host: str) -> str:
    """`host`, an IPv6 address without its brackets.

    Raises:
        ValueError: It is no name, address or ``unix://path``.
    """
    if host.startswith(_UNIX) and host != _UNIX:
        return host
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare or bare.count(":") == 1 or any(character in bare for character in " /@?#[]\t\r\n"):
        message = f"the host of a collector is a name, an address or unix://path, without a port, not {_harmless(host)}"
        raise ValueError(message)
    return bare


def checked_port(port: object) -> int:
    """`port`.

    Raises:
        ValueError: It is no whole number from 1 to 65535.
    """
    if not isinstance(port, int) or not 0 < port <= _MAX_PORT:
        message = f"a port is a whole number from 1 to {_MAX_PORT}, not {port!r}"
        raise ValueError(message)
    return port


def _harmless(address: str) -> str:
    return repr(address.rpartition("@")[2])

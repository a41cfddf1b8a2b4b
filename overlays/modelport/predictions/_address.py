"""Addresses of collectors, as text."""

from __future__ import annotations

__all__ = ["DEFAULT_PORT", "fluent_address"]

DEFAULT_PORT = 24224
_MAX_PORT = 65_535


def fluent_address(address: str) -> tuple[str, int]:
    """Host and port of ``host``, ``host:port``, ``[v6]``, ``[v6]:port``, a bare IPv6 address or ``unix://path``.

    Raises:
        ValueError: None of these.
    """
    if address.startswith("unix://"):
        return address, DEFAULT_PORT
    if address.startswith("["):
        host, bracket, port = address[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError(_problem(address))
        return _checked(host, port[1:] if port else str(DEFAULT_PORT), address)
    if address.count(":") > 1:
        # An IPv6 address without brackets has no room for a port.
        return _checked(address, str(DEFAULT_PORT), address)
    host, colon, port = address.partition(":")
    return _checked(host, port if colon else str(DEFAULT_PORT), address)


def _checked(host: str, port: str, address: str) -> tuple[str, int]:
    valid = port.isascii() and port.isdecimal() and len(port) <= len(str(_MAX_PORT)) and 0 < int(port) <= _MAX_PORT
    if not valid or not host or any(character in host for character in " /@?#[]\t\r\n"):
        raise ValueError(_problem(address))
    return host, int(port)


def _problem(address: str) -> str:
    return f"not host, host:port, [IPv6]:port or unix://path: {address.rpartition('@')[2]!r}"

"""TLS contexts with certificates of the user."""

from __future__ import annotations

import ssl
from os import PathLike
from typing import TYPE_CHECKING

from .errors import ClientConfigError
from .http import usual_trust

if TYPE_CHECKING:
    from .types import Certificate


def tls_context(cert: Certificate | None, verify: ssl.SSLContext | str | PathLike[str] | None) -> ssl.SSLContext:
    """What a client with a certificate, or with authorities of its own, shakes hands with.

    Raises:
        ClientConfigError: If a file cannot be read, or is not what it should be; no pass phrase is asked for.
    """
    _refuse_others(verify)
    if isinstance(verify, ssl.SSLContext):
        if cert is not None:
            raise ClientConfigError("give either cert or an ssl.SSLContext: load the certificate into the context")
        return verify
    try:
        context = usual_trust() if verify is None else _trusting(verify)
        if cert is not None:
            files = (cert, None) if isinstance(cert, str | PathLike) else cert
            # Never None: OpenSSL would ask for the pass phrase on the terminal.
            context.load_cert_chain(files[0], files[1], files[2] if len(files) > 2 else "")  # noqa: PLR2004
    except (OSError, TypeError, ValueError) as error:
        given = f"cert={_shown(cert)}, verify={verify!r}"
        raise ClientConfigError(f"cannot load the certificates of {given}: {error}") from None
    return context


def _trusting(authorities: str | PathLike[str]) -> ssl.SSLContext:
    """A context that trusts the authorities in a file or folder, and none else."""
    from pathlib import Path

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks host names and certificates by default
    if Path(authorities).is_dir():
        context.load_verify_locations(capath=authorities)
    else:
        context.load_verify_locations(cafile=authorities)
    return context


def _refuse_others(verify: object) -> None:
    if verify is not None and not isinstance(verify, ssl.SSLContext | str | PathLike):
        raise ClientConfigError("verify must be a path of certificates or an ssl.SSLContext; else bring an http_client")


def _shown(cert: Certificate | None) -> str:
    """A certificate without its pass phrase."""
    return repr(cert if cert is None or isinstance(cert, str | PathLike) else tuple(cert[:2]))

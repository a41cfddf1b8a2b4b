"""Small public types that every generated client shares."""

from __future__ import annotations

from enum import Enum, IntEnum, StrEnum
from os import PathLike
from typing import IO, TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self


class Unset(Enum):
    """The type of `UNSET`: a value that was not given, which is not the same as ``None`` (JSON null)."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


class OpenStrEnum(StrEnum):
    """A text enum of a server that may grow: an unknown value is kept and marked, never refused."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    def __reduce_ex__(self, proto: object) -> tuple[type[Self], tuple[str]]:
        # By its value: early versions of Python 3.11 look members up by their names, which unknown ones have not.
        return type(self), (self._value_,)

    @property
    def is_known(self) -> bool:
        """Whether the document that this client was generated from knows the value."""
        return type(self).__members__.get(self._name_) is self


class OpenIntEnum(IntEnum):
    """A number enum of a server that may grow: an unknown value is kept and marked, never refused."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"VALUE_{value}"
        member._value_ = value
        return member

    def __reduce_ex__(self, proto: object) -> tuple[type[Self], tuple[int]]:
        # By its value: early versions of Python 3.11 look members up by their names, which unknown ones have not.
        return type(self), (self._value_,)

    @property
    def is_known(self) -> bool:
        """Whether the document that this client was generated from knows the value."""
        return type(self).__members__.get(self._name_) is self


class File:
    """A file to upload.

    Args:
        content: The bytes, a binary file object (read from its start), or a path that is opened for the call
            and closed after it.
        name: The file name that the server sees; by default that of the path or file object, else ``upload``.
        content_type: The media type; guessed from the name by default.
        on_progress: Called while the file is sent, with the bytes sent and with the number of all (None for what
            cannot be measured, such as a pipe); each attempt begins at 0. What it raises ends the call.
    """

    __slots__ = ("content", "content_type", "name", "on_progress")

    def __init__(
        self,
        content: bytes | IO[bytes] | PathLike[str] | str,
        name: str | None = None,
        content_type: str | None = None,
        *,
        on_progress: Callable[[int, int | None], object] | None = None,
    ) -> None:
        self.content = content
        self.name = name
        self.content_type = content_type
        self.on_progress = on_progress

    def __repr__(self) -> str:
        kind = f"{len(self.content)} bytes" if isinstance(self.content, bytes) else repr(self.content)
        return f"File({kind}, name={self.name!r})"


class Timeout:
    """Limits in seconds for the phases of one attempt; ``None`` waits for ever.

    Args:
        total: The limit of every phase that is not named.
        connect: To open the connection, TLS included.
        read: Between two reads of the answer.
        write: Between two writes of the request.
        pool: To get a connection out of a full pool.
    """

    __slots__ = ("connect", "pool", "read", "write")

    def __init__(
        self,
        total: float | None = 60.0,
        *,
        connect: float | Unset | None = UNSET,
        read: float | Unset | None = UNSET,
        write: float | Unset | None = UNSET,
        pool: float | Unset | None = UNSET,
    ) -> None:
        self.connect = total if connect is UNSET else connect
        self.read = total if read is UNSET else read
        self.write = total if write is UNSET else write
        self.pool = total if pool is UNSET else pool

    def __repr__(self) -> str:
        return f"Timeout(connect={self.connect}, read={self.read}, write={self.write}, pool={self.pool})"


class RequestOptions(TypedDict, total=False):
    """Options that every operation takes."""

    timeout: float | Timeout | None
    """Seconds for each phase of an attempt; the client's own limit by default."""
    max_retries: int
    """Attempts after the first, where a repeat is safe."""
    headers: Mapping[str, str]
    """Headers to add to, or to replace in, this call."""


class TokenSource(Protocol):
    """Gives a credential that can grow stale, such as the token of a login."""

    def token(self, rejected: str | None = None) -> str:
        """The current token; a fresh one if the current one is `rejected`, the one that the server refused."""
        ...


class AsyncTokenSource(Protocol):
    """The same as `TokenSource`, awaited."""

    async def token(self, rejected: str | None = None) -> str:
        """The current token; a fresh one if the current one is `rejected`, the one that the server refused."""
        ...


_Path: TypeAlias = str | PathLike[str]
Certificate: TypeAlias = _Path | tuple[_Path, _Path] | tuple[_Path, _Path, str]
"""A client certificate: a PEM file of certificate and key, or the two files, or these and the key's pass phrase."""


class Tracer(Protocol):
    """What makes spans: a tracer of OpenTelemetry."""

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Begin a span."""


class HTTPClient(Protocol):
    """What a client that you bring must be able to do: ``httpx.Client`` or anything of its shape."""

    def build_request(self, *args: Any, **kwargs: Any) -> Any:
        """Make a request, with the client's own headers merged in."""

    def send(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request."""

    def close(self) -> None:
        """Close the connections."""


class AsyncHTTPClient(Protocol):
    """What an async client that you bring must be able to do: ``httpx.AsyncClient`` or anything of its shape."""

    def build_request(self, *args: Any, **kwargs: Any) -> Any:
        """Make a request, with the client's own headers merged in."""

    async def send(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request."""

    async def aclose(self) -> None:
        """Close the connections."""

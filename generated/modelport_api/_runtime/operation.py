"""What an operation of the document is, as data: the generated methods hand these to the transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .pagination import Pagination
    from .polling import PollingRules

T = TypeVar("T")


class Parameter(NamedTuple):
    """One parameter: its Python name, its name on the wire, where it goes, and how it is written.

    `reserved` keeps the reserved characters of RFC 3986 that mean nothing in a query (``allowReserved``).
    """

    python_name: str
    wire_name: str
    location: str
    style: str = "simple"
    explode: bool = False
    reserved: bool = False


class Encoding(NamedTuple):
    """How one field of a form is written, where the document says more than that it is a field.

    `style` and `explode` are those of a query parameter, of a form that is URL-encoded; None leaves the field to its
    type. `content_type` is that of its part in a multipart form.
    """

    content_type: str | None = None
    style: str | None = None
    explode: bool = True
    reserved: bool = False


class Chosen(NamedTuple):
    """A body with the media type that the caller chose for it."""

    body: Any
    content_type: str


class Operation(Generic[T]):
    """One operation; `T` is the type of its success value.

    Args:
        name: ``tag.operation_id``, for logs and errors.
        method: The HTTP method, in capitals.
        path: The path template, relative to the base URL.
        parameters: In the order of the document.
        body: The request's media types, preferred first.
        body_kinds: The names of the types that each takes, if there are several media types.
        server: Its own server, if it has one: an absolute URL, or one relative to the client's.
        home: The document's server: only a client of that one sends an operation to another server.
        encoding: By media type and field of a form: how the field is written, if the document says.
        responses: By status (``200``, ``4XX``, ``default``): the media types and the type expression of each.
        security: Alternatives; each is the set of schemes that must be used together. Empty: public.
        schemes: How each scheme is sent: ``(kind, where, name)``, such as ``("http", "bearer", "")``.
        idempotent: Whether a repeat is safe.
        idempotency_key: The header in which the server takes a key, by which it knows a repeat: each call is given
            one, so every repeat is safe.
        names: Looks a generated model up by its name.
        stream: Empty, unless the success is a stream of items, of type `T` then. Of server-sent events it says what an
            item is: the data as ``json`` or as ``text``, the event as an object with its data as JSON (``event``) or
            text (``event-text``), or the event as it is (``raw``).
        pagination: How its pages follow each other, if it gives a list in pages.
        polling: How the work that it tells of is waited for, if it does.
    """

    __slots__ = (
        "body",
        "body_kinds",
        "cache",
        "encoding",
        "home",
        "idempotency_key",
        "idempotent",
        "method",
        "name",
        "names",
        "pagination",
        "parameters",
        "path",
        "polling",
        "responses",
        "schemes",
        "security",
        "server",
        "stream",
    )

    def __init__(
        self,
        *,
        name: str,
        method: str,
        path: str,
        names: Callable[[str], Any],
        parameters: tuple[Parameter, ...] = (),
        body: tuple[str, ...] = (),
        body_kinds: tuple[tuple[str, ...], ...] = (),
        encoding: Mapping[str, Mapping[str, Encoding]] | None = None,
        responses: Mapping[str, Mapping[str, str]],
        security: tuple[tuple[str, ...], ...] = (),
        schemes: Mapping[str, tuple[str, str, str]] | None = None,
        idempotent: bool = True,
        server: str | None = None,
        home: str | None = None,
        stream: str = "",
        idempotency_key: str | None = None,
        pagination: Pagination | None = None,
        polling: PollingRules | None = None,
    ) -> None:
        self.name = name
        self.method = method
        self.path = path
        self.names = names
        self.parameters = parameters
        self.body = body
        self.body_kinds = body_kinds
        self.encoding = encoding
        self.responses = responses
        self.security = security
        self.schemes = schemes or {}
        self.idempotent = idempotent or idempotency_key is not None
        self.idempotency_key = idempotency_key
        self.server = server
        self.home = home
        self.stream = stream
        self.pagination = pagination
        self.polling = polling
        self.cache: dict[object, Any] = {}
        """Decoders by status and media type, made on first need."""

    def __repr__(self) -> str:
        return f"<Operation {self.name}: {self.method} {self.path}>"

    def base_url(self, base_url: str) -> str:
        """Where the operation is, for a client of a base URL.

        A client that was given another base URL than the document's keeps to it: it may be a test server, a proxy or
        a deployment of its own, and its credentials are not for the hosts of the document.
        """
        if self.server is None:
            return base_url
        from urllib.parse import urljoin, urlsplit

        if not urlsplit(self.server).scheme:
            return urljoin(f"{base_url}/", self.server).rstrip("/")
        return self.server.rstrip("/") if self.home is not None and base_url == self.home.rstrip("/") else base_url

    def documented(self, status: int) -> Mapping[str, str] | None:
        """The media types that the document gives for a status; None if it does not know the status."""
        responses = self.responses
        for key in (str(status), f"{status // 100}XX", "default"):
            media = responses.get(key)
            if media is not None:  # an empty one says that there is no body
                return media
        return None

    def success(self) -> Mapping[str, str]:
        """The media types of the first success status."""
        for status, media in self.responses.items():
            if status.startswith("2"):
                return media
        return self.responses.get("default", {})


class Follow(NamedTuple, Generic[T]):
    """What a link of the document leads to: the operation, and what its arguments are.

    Attributes:
        arguments: The name of each, and a constant or a runtime expression.
    """

    operation: Operation[T]
    arguments: tuple[tuple[str, Any], ...]

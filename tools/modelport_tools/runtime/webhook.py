"""What a server sends of its own accord: webhooks and callbacks of the document, decoded where they are received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Webhook(Generic[T]):
    """A request that a server sends; `T` is the type of its body.

    Args:
        name: Its name in the document.
        method: The HTTP method, in capitals.
        expression: The type expression of the body; ``bytes`` if it is no JSON.
        names: Looks a generated model up by its name.
    """

    __slots__ = ("_expression", "_names", "method", "name")

    def __init__(self, name: str, method: str, expression: str, names: Callable[[str], Any]) -> None:
        self.name = name
        self.method = method
        self._expression = expression
        self._names = names

    def __repr__(self) -> str:
        return f"<Webhook {self.name}: {self.method}>"

    def parse(self, body: bytes | str) -> T:
        """The body of a received request, typed.

        Verify the sender first, over the bytes as they came: parsing proves nothing of who sent them.

        Raises:
            DecodeError: If it is not what the document says; names the place.
        """
        content = body.encode() if isinstance(body, str) else bytes(body)
        if self._expression == "bytes":
            return cast("T", content)
        from .decode import JSONDecoder, Mismatch

        try:
            return cast("T", JSONDecoder(self._expression, self._names)(content))
        except Mismatch as mismatch:
            reason = f"does not fit the document at {mismatch}"
        except ValueError:
            reason = "is not JSON"
        except RecursionError:
            reason = "is nested too deeply"
        raise DecodeError(f"the body of {self.name} {reason}", raw_body=content, method=self.method)

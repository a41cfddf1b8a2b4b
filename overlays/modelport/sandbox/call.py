"""One request, read and checked, as a handler sees it; and the answer a handler gives."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl

from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

from modelport.sandbox._errors import BadRequestError, TooLargeError

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.datastructures import FormData, UploadFile

    from modelport.sandbox.spec import Operation, Spec

Json: TypeAlias = dict[str, Any]

MAX_FIELD_BYTES = 16 * 1024 * 1024
MAX_FILES = 200
COPY_BYTES = 1 << 20
_SAFE_NAME = re.compile(r"[^\w.\- ()+@]", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file: a safe bare name, its size and its stream."""

    name: str
    size: int
    stream: IO[bytes]

    def save(self, path: Path) -> Path:
        """Write the content to a file that only the owner may read."""
        self.stream.seek(0)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as target:
            while chunk := self.stream.read(COPY_BYTES):
                target.write(chunk)
        return path

    def read(self, limit: int = MAX_FIELD_BYTES) -> bytes:
        """The content, for small files such as JSON."""
        self.stream.seek(0)
        data = self.stream.read(limit + 1)
        if len(data) > limit:
            raise BadRequestError(f"file {self.name!r} is larger than {limit} bytes")
        return data


@dataclass(slots=True)
class Call:
    """A request that passed the specification."""

    operation: Operation
    path: tuple[str, ...]
    values: Json
    headers: Mapping[str, str]
    base_url: str
    form: Json = field(default_factory=dict[str, Any])
    files: dict[str, list[Upload]] = field(default_factory=dict[str, list[Upload]])
    json: Any = None
    principal: Any = None

    def file(self, name: str) -> Upload | None:
        """The last file of a form field."""
        found = self.files.get(name)
        return found[-1] if found else None

    def need_file(self, name: str) -> Upload:
        """A file that must be there."""
        found = self.file(name)
        if found is None:
            raise BadRequestError(f"form field {name!r} is missing: send it as a file")
        return found

    def text(self, name: str) -> str | None:
        """A form field as text."""
        value = self.form.get(name)
        return None if value is None else str(value)

    def need_text(self, name: str) -> str:
        """A form field that must be there and not empty."""
        value = self.text(name)
        if not value:
            raise BadRequestError(f"form field {name!r} is missing or empty")
        return value

    def query(self, name: str) -> str | None:
        """A query parameter as text."""
        value = self.values.get(name)
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a status and JSON, or bytes, or a file to stream."""

    body: Any = None
    status: int = 200
    content: bytes | None = None
    file: Path | None = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def safe_name(name: str | None, fallback: str) -> str:
    """A bare file name that cannot leave its folder."""
    bare = re.split(r"[/\\]", name or "")[-1]
    bare = _SAFE_NAME.sub("_", bare).strip()[:120]
    return bare if bare.strip(". ") else fallback


async def read_body(spec: Spec, operation: Operation, request: Request, call: Call, limit: int) -> None:
    """Fill `call.json`, or `call.form` and `call.files`, checked against the operation's body."""
    check_length(request, limit)
    if operation.takes_form:
        form = await _form(request, limit)
        _split_form(spec, operation, form, call)
        instance = {**call.form, **{name: _file_value(spec, operation, name, f) for name, f in call.files.items()}}
        if instance or operation.body_required:
            spec.check_body(operation.form, instance, "form")
        return
    if not operation.media:
        return
    raw = await _bytes(request, limit)
    if not raw:
        if operation.body_required:
            raise BadRequestError("the body is empty; JSON is expected")
        return
    # The vendor's client sends predictions without a Content-Type, so the header is not asked for.
    try:
        call.json = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from None
    media = next((operation.media[kind] for kind in operation.media if "json" in kind), None)
    if media is not None:
        spec.check_body(media, call.json)


def check_length(request: Request, limit: int) -> None:
    """Refuse a body whose announced length is over the limit."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit():
        raise BadRequestError("the Content-Length header is not a number")
    if int(announced) > limit:
        raise TooLargeError(f"the body has {announced} bytes; the sandbox takes at most {limit}")


async def _bytes(request: Request, limit: int) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise TooLargeError(f"the body is larger than {limit} bytes")
    return bytes(data)


async def _form(request: Request, limit: int) -> list[tuple[str, str | UploadFile]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        try:
            data: FormData = await request.form(max_files=MAX_FILES, max_fields=1000, max_part_size=MAX_FIELD_BYTES)
        except (MultiPartException, ClientDisconnect, KeyError, ValueError) as error:
            raise BadRequestError(f"the multipart body cannot be read: {error}") from None
        except Exception as error:
            # Starlette answers a broken multipart body with its own HTTPException.
            detail = getattr(error, "detail", None)
            if detail is None:
                raise
            raise BadRequestError(f"the multipart body cannot be read: {detail}") from None
        return list(data.multi_items())
    raw = await _bytes(request, min(limit, MAX_FIELD_BYTES))
    if kind not in {"", "application/x-www-form-urlencoded"} and raw:
        raise BadRequestError(f"Content-Type {kind!r} is not accepted here: send a form")
    try:
        return list(parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=1000))
    except (UnicodeDecodeError, ValueError) as error:
        raise BadRequestError(f"the form cannot be read: {error}") from None


def _split_form(spec: Spec, operation: Operation, items: list[tuple[str, str | UploadFile]], call: Call) -> None:
    properties = operation.form.properties
    texts: dict[str, list[str]] = {}
    for name, value in items:
        if isinstance(value, str):
            texts.setdefault(name, []).append(value)
            continue
        upload = Upload(safe_name(value.filename, name), value.size or 0, value.file)
        call.files.setdefault(name, []).append(upload)
    for name, values in texts.items():
        # 4.0.2 sends its local path as the text field `schema` beside the file of that name: the file counts.
        if name not in call.files:
            call.form[name] = spec.coerce(properties.get(name, {}), values)


def _file_value(spec: Spec, operation: Operation, name: str, uploads: list[Upload]) -> Any:
    schema = spec.resolve(operation.form.properties.get(name, {}))
    names = [upload.name for upload in uploads]
    return names if schema.get("type") == "array" else names[-1]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")

"""Files in S3: found by an address or a pattern, and opened through Arrow."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, cast

from modelport._extras import require
from modelport.drift.offline._errors import OfflineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["find", "open_dataset", "open_stream", "reach", "split"]

_TIMEOUT_SECONDS, _CONNECT_TIMEOUT_SECONDS = 30, 5
_VARIABLES = {
    "aws_access_key_id": ("AWS_ACCESS_KEY_ID",),
    "aws_secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "aws_session_token": ("AWS_SESSION_TOKEN",),
    "aws_region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "aws_endpoint_url": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
}
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,254}")
_MAGIC = re.compile(r"[*?\[]")
_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[[!^]?\]?[^]/]*\]|.", re.DOTALL)
_GLOBS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_CODE = re.compile(r"AWS Error ([A-Z][A-Z_0-9]+)")
_REFUSED = "permission denied: the store refused the credentials or what they may do"
_REASONS = {
    "ACCESS_DENIED": _REFUSED,
    "EXPIRED_TOKEN": _REFUSED,
    "INVALID_ACCESS_KEY_ID": _REFUSED,
    "INVALID_CLIENT_TOKEN_ID": _REFUSED,
    "MISSING_AUTHENTICATION_TOKEN": _REFUSED,
    "SIGNATURE_DOES_NOT_MATCH": _REFUSED,
    "NO_SUCH_BUCKET": "no such bucket",
    "NETWORK_CONNECTION": "the store is out of reach",
}


def split(address: str) -> tuple[str, str]:
    """Bucket and key (or pattern) of ``s3://bucket/key``.

    Raises:
        OfflineError: Another kind of address, or one that carries credentials.
    """
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    # The address itself stays out of these messages: it may carry a password.
    if scheme not in {"s3", "s3a"}:
        raise OfflineError(f"of stores only s3:// is known, not {scheme}://")
    if not _BUCKET.fullmatch(bucket):
        raise OfflineError("an address in S3 is s3://bucket/key, without credentials (give the AWS_... variables)")
    return bucket, key


def reach(options: Mapping[str, str]) -> dict[str, str]:
    """How to reach S3: `options`, or what the variables say that S3's own tools read."""
    found = dict(options) or _from_environment()
    if found.get("aws_endpoint_url", "").startswith("http://"):
        found.setdefault("aws_allow_http", "true")
    return found


def _from_environment() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, variables in _VARIABLES.items():
        value = next((os.environ[variable] for variable in variables if os.environ.get(variable)), None)
        if value is not None:
            found[name] = value
    return found


def find(address: str, options: Mapping[str, str]) -> tuple[str, ...]:
    """All objects that `address` names or matches, as ``bucket/key``, sorted; empty if there is none.

    Raises:
        OfflineError: The store refuses, has no such bucket or is out of reach.
    """
    bucket, key = split(address)
    fs: Any = require("pyarrow.fs", "parquet")
    selector: Any = f"{bucket}/{key}"
    if _MAGIC.search(key):
        folder = _MAGIC.split(key, maxsplit=1)[0].rpartition("/")[0]
        selector = fs.FileSelector(f"{bucket}/{folder}".rstrip("/"), recursive=True)
    try:
        listed: Any = _filesystem(options).get_file_info(selector)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise _told(error, address) from None
    infos = cast("list[Any]", listed if isinstance(listed, list) else [listed])
    if infos and infos[0].type == fs.FileType.Directory and infos[0].path == selector:
        # Some writers call a folder of files table.parquet.
        return find(f"{address}/**/*.{key.rpartition('.')[2]}", options)
    paths: list[str] = [info.path for info in infos if info.type == fs.FileType.File]
    return tuple(sorted(path for path in paths if _matches(path.partition("/")[2], key)))


def open_dataset(address: str, paths: Sequence[str], options: Mapping[str, str]) -> Any:
    """The objects `paths` as one ``pyarrow.dataset`` with the columns of all of them.

    Raises:
        OfflineError: They cannot be read, or a column has types that do not go together.
    """
    dataset: Any = require("pyarrow.dataset", "parquet")
    pa: Any = require("pyarrow", "parquet")
    made = dataset.FileSystemFactoryOptions(partitioning=dataset.HivePartitioning.discover())
    try:
        factory = dataset.FileSystemDatasetFactory(_filesystem(options), list(paths), dataset.ParquetFileFormat(), made)
        # Files of one log may differ in their columns; by itself Arrow looks at the first alone.
        return factory.finish(factory.inspect(promote_options="permissive"))
    except pa.ArrowTypeError as error:
        raise OfflineError(f"{address}: a column of several types: {error}") from None
    except (OSError, ValueError) as error:
        raise _told(error, address) from None


def open_stream(address: str, path: str, options: Mapping[str, str]) -> Any:
    """The object `path` as a stream, decompressed if its name says that it is compressed.

    Raises:
        OfflineError: It cannot be read.
    """
    try:
        return _filesystem(options).open_input_stream(path)
    except (OSError, ValueError) as error:
        raise _told(error, address) from None


def _filesystem(options: Mapping[str, str]) -> Any:
    fs: Any = require("pyarrow.fs", "parquet")
    scheme, _, endpoint = options.get("aws_endpoint_url", "").rpartition("://")
    arguments = {
        "access_key": options.get("aws_access_key_id"),
        "secret_key": options.get("aws_secret_access_key"),
        "session_token": options.get("aws_session_token"),
        "region": options.get("aws_region"),
        "endpoint_override": endpoint.rstrip("/") or None,
        "scheme": scheme or "https",
        "request_timeout": _TIMEOUT_SECONDS,
        "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
    }
    return fs.S3FileSystem(**{name: value for name, value in arguments.items() if value})


def _matches(key: str, pattern: str) -> bool:
    return key == pattern or re.fullmatch("".join(map(_as_regex, _TOKEN.findall(pattern))), key) is not None


def _as_regex(token: str) -> str:
    if token in _GLOBS:
        return _GLOBS[token]
    if token.startswith("[") and len(token) > 1:
        inside = token[1:-1].replace("\\", r"\\")
        return f"[{'^' + inside[1:] if inside[0] in '!^' else inside}]"
    return re.escape(token)


def _told(error: Exception, address: str) -> OfflineError:
    """The error in words of our own: that of the store may quote the request."""
    found = _CODE.search(str(error))
    if found is None:
        return OfflineError(f"{address}: {error}")
    return OfflineError(f"{address}: {_REASONS.get(found[1], f'the store answered {found[1]}')}")

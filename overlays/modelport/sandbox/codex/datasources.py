"""Data sources. The platform reads cloud stores; the sandbox reads a folder on this machine in their place.

The rule: `<import root>/<data source name>/<path of the URI>` is the file, whatever the scheme and bucket say. The
import root is the setting `import_root`, or `imports` in the state folder. `file://` URIs must lie in the import root
as well, so that a request cannot read the machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from modelport.sandbox._errors import BadRequestError, NotFoundError
from modelport.sandbox.call import Call, Reply, safe_name
from modelport.sandbox.codex.context import DATASET, DATASOURCE, Context, like
from modelport.sandbox.codex.datasets import write_dataset
from modelport.sandbox.codex.files import read_json

if TYPE_CHECKING:
    from modelport.sandbox.store import Document

SCHEMES = frozenset({"", "file", "gs", "s3", "s3a", "az", "abfs", "abfss", "wasbs", "https"})


class Datasources:
    """Register, list, import, delete."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def register_datasource(self, call: Call) -> Reply:
        """A new data source; of the credentials only the names of the keys are kept."""
        group, name = str(call.values["group"]), safe_name(call.need_text("name"), "")
        self._context.group(group)
        if name != call.need_text("name"):
            raise BadRequestError("form field 'name': use letters, digits, spaces, '_', '-' and '.' only")
        credentials = read_json(call.need_file("credentials"), "credentials")
        if not isinstance(credentials, dict):
            raise BadRequestError("form field 'credentials': the file holds no JSON object")
        body = {
            "Name": name,
            "Group": group,
            "Provider": call.need_text("provider"),
            "RegisteredAt": self._context.now(),
            "CredentialKeys": sorted(map(str, credentials)),  # pyright: ignore[reportUnknownArgumentType]
        }
        if not self._context.store.add(DATASOURCE, f"{group}/{name}", body, parent=group):
            raise BadRequestError(f"DataSource {name!r} already exists in group {group!r}")
        return Reply({"Message": f"DataSource {name!r} registered"})

    def list_datasources(self, call: Call) -> Reply:
        """Data sources whose group and provider fit."""
        names = ("Name", "Group", "Provider", "RegisteredAt")
        found = [
            {name: body[name] for name in names}
            for body in self._context.store.all(DATASOURCE)
            if like(body["Group"], call.query("group")) and like(body["Provider"], call.query("provider"))
        ]
        return Reply({"Results": found})

    def import_dataset(self, call: Call) -> Reply:
        """Copy a file into a new dataset; the same name again only with `force=true`."""
        body, name = self._source(call), call.need_text("name")
        earlier = [
            dataset
            for dataset in self._context.store.all(DATASET, parent=body["Group"])
            if dataset.get("Datasource") == body["Name"] and dataset["Name"] == name
        ]
        if earlier and not call.values.get("force"):
            return Reply({"Datasets": [earlier[-1]["Hash"]]})
        path = self._locate(call.need_text("uri"), body["Name"])
        digest, file = self._context.new_hash("D"), safe_name(path.name, "data")
        target = self._context.folder("datasets", digest) / file
        target.write_bytes(path.read_bytes())
        dataset = write_dataset(
            self._context,
            digest,
            name,
            body["Group"],
            file=file,
            size=target.stat().st_size,
            origin="Datasource",
            origin_id=body["Name"],
            datasource=body["Name"],
        )
        return Reply({"Datasets": [dataset["Hash"]]})

    def delete_datasource(self, call: Call) -> Reply:
        """Forget a data source; its datasets stay."""
        body = self._source(call)
        self._context.store.remove(DATASOURCE, f"{body['Group']}/{body['Name']}")
        return Reply({"Message": f"DataSource {body['Name']!r} deleted"})

    @property
    def root(self) -> Path:
        """The folder that stands in for the cloud."""
        return import_root(self._context)

    def _locate(self, uri: str, source: str) -> Path:
        return locate(self._context, uri, source)

    def _source(self, call: Call) -> Document:
        group, name = str(call.values["group"]), str(call.values["name"])
        found = self._context.store.get(DATASOURCE, f"{group}/{name}")
        if found is None:
            raise NotFoundError(f"there is no data source {name!r} in group {group!r}")
        return found


def import_root(context: Context) -> Path:
    """The folder that stands in for the cloud."""
    root = context.settings.import_root or context.store.root / "imports"
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return root.resolve()


def locate(context: Context, uri: str, source: str) -> Path:
    """The local file that a cloud URI means, by the rule of this module."""
    if "\0" in uri:
        raise BadRequestError("the URI holds a zero byte")
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise BadRequestError(f"the URI cannot be read: {error}") from None
    if parts.scheme not in SCHEMES:
        raise BadRequestError(f"the URI scheme {parts.scheme!r} is not one of {', '.join(sorted(SCHEMES - {''}))}")
    root = import_root(context)
    bare = unquote(parts.path).lstrip("/")
    path = Path("/", bare) if parts.scheme == "file" else root / source / bare
    try:
        path = path.resolve()
        inside = path.is_relative_to(root) and path.is_file()
    except OSError:
        inside = False
    if not inside:
        raise BadRequestError(
            f"the sandbox has no file for {uri[:200]!r}: it reads a local folder in place of the cloud; put the file "
            f"at <import root>/{source}/{bare[:200]} (setting import_root, else the folder 'imports' of the state)"
        )
    return path

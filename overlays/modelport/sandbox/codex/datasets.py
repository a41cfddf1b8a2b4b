"""Datasets: kept files with a hash."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.call import Call, Reply, Upload, safe_name
from modelport.sandbox.codex.context import DATASET, Context, like
from modelport.sandbox.codex.files import save_table

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.sandbox.store import Document


class Datasets:
    """List, status, download, delete."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def list_datasets(self, call: Call) -> Reply:
        """Datasets whose group, origin and data source fit."""
        found = [
            _summary(body)
            for body in self._context.store.all(DATASET)
            if like(body["Group"], call.query("group"))
            and like(body["Origin"], call.query("origin"))
            and like(body.get("Datasource"), call.query("datasource"))
            and call.query("origin_id") in {None, body.get("OriginId"), str(body.get("OriginId"))}
        ]
        return Reply({"Results": found})

    def get_dataset_status(self, call: Call) -> Reply:
        """Whether the data is there."""
        body = self._dataset(call)
        return Reply({"Status": body["State"], "Log": body.get("Message")})

    def download_dataset(self, call: Call) -> Reply:
        """The bytes as they came."""
        body = self._dataset(call)
        if body["State"] != "Succeeded":
            raise BadRequestError(f"dataset {body['Hash']} is {body['State']}: it holds no data")
        path = self._context.folder("datasets", body["Hash"]) / body["File"]
        headers = {"content-disposition": f'attachment; filename="{path.name}"'}
        return Reply(file=path, media_type="application/octet-stream", headers=headers)

    def delete_dataset(self, call: Call) -> Reply:
        """Remove a dataset with its file."""
        body = self._dataset(call)
        self._context.store.remove(DATASET, body["Hash"])
        self._context.store.drop_folder("codex", "datasets", body["Hash"])
        return Reply({"Message": f"Dataset {body['Hash']} deleted"})

    def _dataset(self, call: Call) -> Document:
        return self._context.find(DATASET, call.values["dataset_hash"], "dataset", group=call.values["group"])


def _summary(body: Document) -> Document:
    return {
        "DatasetHash": body["Hash"],
        "Name": body["Name"],
        "Group": body["Group"],
        "Origin": body["Origin"],
        "Id": body.get("OriginId"),
        "CreationDate": body["CreatedAt"],
        "Size": body.get("Size", 0),
    }


def keep_dataset(context: Context, upload: Upload, name: str, group: str, *, field: str, origin: str) -> Document:
    """Keep an uploaded file as a dataset."""
    digest = context.new_hash("D")
    folder = context.folder("datasets", digest)
    try:
        file = save_table(upload, folder, field)
    except Exception:
        context.store.drop_folder("codex", "datasets", digest)
        raise
    return write_dataset(context, digest, name, group, file=file, size=upload.size, origin=origin)


def keep_file(context: Context, path: Path, name: str, group: str, *, origin: str, origin_id: str) -> Document:
    """Keep a copy of a file as a dataset."""
    digest, file = context.new_hash("D"), safe_name(path.name, "data")
    shutil.copyfile(path, context.folder("datasets", digest) / file)
    size = path.stat().st_size
    return write_dataset(context, digest, name, group, file=file, size=size, origin=origin, origin_id=origin_id)


def write_dataset(
    context: Context,
    digest: str,
    name: str,
    group: str,
    *,
    file: str,
    size: int,
    origin: str,
    origin_id: str | None = None,
    datasource: str | None = None,
) -> Document:
    """Write the document of a dataset whose file is in place."""
    body: Document = {
        "Hash": digest,
        "Name": name,
        "Group": group,
        "File": file,
        "Size": size,
        "Origin": origin,
        "OriginId": origin_id,
        "Datasource": datasource,
        "State": "Succeeded",
        "Message": None,
        "CreatedAt": context.now(),
    }
    context.store.put(DATASET, digest, body, parent=group)
    return body

"""Status and result answers that every kind of execution shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.call import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.sandbox.store import Document


def run_status(run: Document) -> Document:
    """The status answer of an execution."""
    return {"ExecutionId": str(run["Id"]), "Status": run["State"], "Message": run.get("Message")}


def archive_reply(run: Document, archive: Path) -> Reply:
    """The archive of a run; 410 when it failed or the file is gone, 400 while it is not there yet."""
    if run["State"] == "Succeeded" and archive.is_file():
        headers = {"content-disposition": f'attachment; filename="{archive.name}"'}
        return Reply(file=archive, media_type="application/zip", headers=headers)
    if run["State"] in {"Succeeded", "Failed"}:
        return Reply({**run_status(run), "Message": run.get("Message") or "the result is not there any more"}, 410)
    raise BadRequestError(f"execution {run['Id']} is {run['State']}: it has no result yet")

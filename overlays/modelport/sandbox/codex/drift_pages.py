"""`/codex/drift`: the drift of deployed models, as pages for people and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from modelport._extras import MissingExtraError
from modelport.sandbox.codex.context import MODEL, Context, RunFailedError
from modelport.sandbox.codex.drift_data import DriftData, ModelDrift
from modelport.sandbox.control import loopback_only

if TYPE_CHECKING:
    from starlette.requests import Request

    from modelport.sandbox.store import Document

PREFIX = "/codex/drift"
REFRESH_SECONDS = range(2, 3601)
NOT_FOUND, UNPROCESSABLE, NOT_IMPLEMENTED = 404, 422, 501
# The page shows what users sent: nobody else may keep or frame it.
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}


class DriftPages:
    """A list of the deployed models, and the report of each."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._data = DriftData(context)

    def routes(self) -> list[Route]:
        """For callers on this machine, as the control path: they need no login."""
        return [
            Route("/drift", loopback_only(self._lead), methods=["GET"]),
            Route(PREFIX, loopback_only(self._list), methods=["GET"]),
            Route(PREFIX + "/{model_hash}", loopback_only(self._show), methods=["GET"]),
        ]

    def reset(self) -> None:
        """Forget the reports."""
        self._data.reset()

    async def _lead(self, request: Request) -> Response:
        return RedirectResponse(f"{PREFIX}?{request.url.query}".rstrip("?"))

    async def _list(self, request: Request) -> Response:
        def work() -> Response:
            found = [self._of(model) for model in self._data.deployed()]
            if _wants_json(request):
                return JSONResponse({"models": [_summary(item) for item in found]}, headers=HEADERS)
            return _html(_index(found, _refresh(request)))

        return await _answer(work)

    async def _show(self, request: Request) -> Response:
        def work() -> Response:
            model = self._context.store.get(MODEL, str(request.path_params["model_hash"]))
            if model is None or model["State"] != "Deployed":
                return _problem(request, "There is no such deployed model.", NOT_FOUND)
            found = self._of(model)
            if _wants_json(request):
                return _report_json(found)
            return _html(_page(found, _refresh(request)))

        return await _answer(work)

    def _of(self, model: Document) -> ModelDrift:
        try:
            return self._data.of(model)
        except RunFailedError as error:
            return ModelDrift(model, None, str(error))


async def _answer(work: Callable[[], Response]) -> Response:
    """Do the work on a thread; a missing extra is named, and no fault of the caller."""
    try:
        return await anyio.to_thread.run_sync(work)
    except MissingExtraError as error:
        return Response(f"{error}\n", NOT_IMPLEMENTED, media_type="text/plain", headers=HEADERS)


def _summary(found: ModelDrift) -> dict[str, Any]:
    report = found.report
    return {
        "model_hash": found.model["Hash"],
        "name": found.model["Name"],
        "group": found.model["Group"],
        "operation": found.model["Operation"],
        "url": f"{PREFIX}/{found.model['Hash']}",
        "verdict": None if report is None else report.verdict,
        "drifted": None if report is None else len(report.drifted),
        "columns": None if report is None else len(report.features),
        "records": None if report is None else report.records,
        "reason": found.reason or None,
    }


def _report_json(found: ModelDrift) -> Response:
    from modelport.drift.page._page_data import report_data

    if found.report is None:
        return JSONResponse(_summary(found), UNPROCESSABLE, headers=HEADERS)
    return JSONResponse({**report_data(found.report), "model": _summary(found)}, headers=HEADERS)


def _index(found: list[ModelDrift], refresh: int | None) -> str:
    from modelport.drift.page._index import IndexEntry, render_index

    entries = [
        IndexEntry(
            name=str(item.model["Name"]),
            href=f"{PREFIX}/{item.model['Hash']}",
            detail=f"{item.model['Operation']} model of group {item.model['Group']}",
            report=item.report,
            reason=item.reason,
        )
        for item in found
    ]
    return render_index(
        entries,
        title="Drift of deployed models",
        subtitle="What each model was asked in this sandbox, against the data of its training",
        empty="No model is deployed. Promote a training execution, host the model, and ask it something.",
        refresh_seconds=refresh,
    )


def _page(found: ModelDrift, refresh: int | None) -> str:
    from modelport.drift.page._html import render_report
    from modelport.drift.page._index import render_reason

    title = str(found.model["Name"])
    told = f"{found.model['Operation']} model of group {found.model['Group']}"
    if found.report is None:
        return render_reason(found.reason, title=title, subtitle=told, back=PREFIX, refresh_seconds=refresh)
    subtitle = f"{told}. {found.note}" if found.note else told
    return render_report(found.report, title=title, subtitle=subtitle, back=PREFIX, refresh_seconds=refresh)


def _html(page: str, status: int = 200) -> Response:
    return Response(page, status, media_type="text/html", headers=HEADERS)


def _problem(request: Request, text: str, status: int) -> Response:
    if _wants_json(request):
        return JSONResponse({"error": text}, status, headers=HEADERS)
    from modelport.drift.page._index import render_reason

    page = render_reason(text, title="Drift", subtitle="", back=PREFIX, refresh_seconds=None)
    return _html(page, status)


def _wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def _refresh(request: Request) -> int | None:
    """`?refresh=SECONDS`: the page loads itself again; anything that is no sensible number of seconds is ignored."""
    given = request.query_params.get("refresh", "")
    return int(given) if given.isascii() and given.isdigit() and int(given[:6]) in REFRESH_SECONDS else None

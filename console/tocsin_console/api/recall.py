"""The endpoints of recall lists: a few calls as a document, all of them as a stream, or to a channel."""

import itertools
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tocsin_alerts.recall.sheet import lines
from tocsin_console.api.answering import text_of, with_body
from tocsin_console.api.wire import Json
from tocsin_console.errors import UsageProblem
from tocsin_console.recall.desk import RecallDesk

_MOST: Final = 10_000  # calls of one document
_LINES: Final = 1_000  # of one piece of a stream


def recall_routes(desk: RecallDesk) -> list[Route]:
    """List the routes over one desk."""

    def listed(request: Request) -> Response:
        top = _top(request.query_params.get("top", "100"))
        if top > _MOST:
            raise UsageProblem(f"expected at most {_MOST:,} calls in one document, got {top:,}: ask for CSV")
        recall, frame = desk.look(request.path_params["incident"])
        return Json({"recall": asdict(recall), "calls": list(desk.calls(frame, top=top))})

    def sheet(request: Request) -> Response:
        asked = request.query_params.get("top")
        _, frame = desk.look(request.path_params["incident"])
        calls = desk.calls(frame, top=None if asked is None else _top(asked))
        return StreamingResponse(_pieces(lines(calls)), media_type="text/csv; charset=utf-8")

    def send(request: Request, body: dict[str, Any]) -> Response:
        recall, frame = desk.look(request.path_params["incident"])
        top = None if body.get("top") is None else _top(str(body["top"]))
        sent = desk.post(recall, frame, text_of(body, "channel"), top=top)
        return Json({"recall": asdict(recall), "sent": sent})

    return [
        Route("/api/incidents/{incident}/recall", listed),
        Route("/api/incidents/{incident}/recall.csv", sheet),
        Route("/api/incidents/{incident}/recall/send", with_body(send), methods=["POST"]),
    ]


def _pieces(lines: Iterator[str]) -> Iterator[str]:
    """Join lines, since each piece of a stream costs a thread's turn."""
    while piece := "".join(itertools.islice(lines, _LINES)):
        yield piece


def _top(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise UsageProblem(f"expected a number of calls from 1, got {text!r}")
    return int(text)

"""The endpoints of the week's review."""

from collections.abc import Mapping
from typing import Any, cast, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.api.answering import text_of, with_body
from tocsin_console.api.wire import Json
from tocsin_console.errors import UsageProblem
from tocsin_console.review.desk import Recording, ReviewDesk
from tocsin_console.review.draw import SIZE


def review_routes(desk: ReviewDesk) -> list[Route]:
    """List the routes over one desk."""
    views = _ReviewViews(desk)
    return [
        Route("/api/review", views.status),
        Route("/api/review/draw", with_body(views.draw), methods=["POST"]),
        Route("/api/review/next", with_body(views.next), methods=["POST"]),
        Route("/api/review/score", with_body(views.score), methods=["POST"]),
        Route("/api/review/skip", with_body(views.skip), methods=["POST"]),
        Route("/api/review/undo", with_body(views.undo), methods=["POST"]),
    ]


class _ReviewViews:
    """Answers from the desk."""

    def __init__(self, desk: ReviewDesk) -> None:
        self._desk = desk

    def status(self, request: Request) -> Response:
        """Say how far each draw has come."""
        asked = request.query_params
        return Json({"reviews": self._desk.status(asked.get("project", ""), asked.get("use_case", ""))})

    def draw(self, _request: Request, body: dict[str, Any]) -> Response:
        """Draw this week's sample or today's part of it, or give the one that was drawn."""
        size, daily = body.get("size", SIZE), body.get("daily", False)
        if isinstance(size, bool) or not isinstance(size, int):
            raise UsageProblem(f"expected size as a whole number, got {size!r}")
        if not isinstance(daily, bool):
            raise UsageProblem(f"expected daily as true or false, got {daily!r}")
        named = str(body.get("use_case") or "")
        made = self._desk.draw(_project(body), named, size=size, by=text_of(body, "actor"), daily=daily)
        return Json({"reviews": made})

    def next(self, _request: Request, body: dict[str, Any]) -> Response:
        """Lock and give the next call."""
        return Json(self._desk.next(_project(body), text_of(body, "use_case"), by=text_of(body, "actor")))

    def score(self, _request: Request, body: dict[str, Any]) -> Response:
        """Record one score."""
        use_case, by = text_of(body, "use_case"), text_of(body, "actor")
        return Json(self._desk.score(_project(body), use_case, body, by=by, recording=_recording(body)))

    def skip(self, _request: Request, body: dict[str, Any]) -> Response:
        """Leave one call for later."""
        call_id = text_of(body, "call_id")
        return Json(self._desk.skip(_project(body), text_of(body, "use_case"), call_id, by=text_of(body, "actor")))

    def undo(self, _request: Request, body: dict[str, Any]) -> Response:
        """Open one call again."""
        use_case, call_id, by = (text_of(body, name) for name in ("use_case", "call_id", "actor"))
        return Json(self._desk.undo(_project(body), use_case, call_id, by=by, recording=_recording(body)))


def _recording(body: Mapping[str, Any]) -> Recording:
    said: Recording | Any = body.get("recording", "here")
    if said not in get_args(Recording):
        raise UsageProblem(f"expected recording as {', '.join(get_args(Recording))}, got {said!r}")
    return cast(Recording, said)


def _project(body: Mapping[str, Any]) -> str:
    return str(body.get("project") or "default")

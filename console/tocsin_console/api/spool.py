"""The endpoints about the spool and the dead letters."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.api.answering import with_body
from tocsin_console.api.wire import Json
from tocsin_console.errors import UsageProblem
from tocsin_console.spool_desk import SpoolDesk, files, verified


def spool_routes(spool: Path, desk: SpoolDesk) -> list[Route]:
    """List the routes of whatever process has the spool."""
    views = _SpoolViews(spool, desk)
    return [
        Route("/api/spool", views.ls),
        Route("/api/spool/verify", views.verify),
        Route("/api/spool/replay", with_body(views.replay), methods=["POST"]),
        Route("/api/dead-letters", views.letters),
        Route("/api/dead-letters/retry", with_body(views.retry), methods=["POST"]),
        Route("/api/dead-letters/{digest}", views.letter),
    ]


class _SpoolViews:
    """Answers from the folder and the desk."""

    def __init__(self, spool: Path, desk: SpoolDesk) -> None:
        self._spool = spool
        self._desk = desk

    def ls(self, _request: Request) -> Response:
        """List what waits."""
        return Json({"files": files(self._spool)})

    def verify(self, _request: Request) -> Response:
        """Walk every frame."""
        return Json(verified(self._spool))

    def replay(self, _request: Request, body: dict[str, Any]) -> Response:
        """Queue a file's requests."""
        path, kind = body.get("path"), body.get("kind")
        if not isinstance(path, str) or not Path(path).is_absolute():
            raise UsageProblem("expected the absolute path of a file under 'path'")
        return Json(self._desk.replay(Path(path), str(kind) if kind else None))

    def letters(self, request: Request) -> Response:
        """List dead letters."""
        asked = request.query_params
        return Json({"letters": self._desk.letters(asked.get("digest", ""), asked.get("reason", ""))})

    def letter(self, request: Request) -> Response:
        """Show one."""
        return Json(self._desk.letter(request.path_params["digest"]))

    def retry(self, _request: Request, body: dict[str, Any]) -> Response:
        """Queue dead letters again."""
        return Json(self._desk.retry(str(body.get("digest") or ""), str(body.get("reason") or "")))

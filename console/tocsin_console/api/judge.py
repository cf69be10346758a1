"""The endpoints of the judge."""

import threading
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.api.answering import with_body
from tocsin_console.api.wire import Json
from tocsin_console.judge.desk import JudgeDesk


def judge_routes(desk: JudgeDesk) -> list[Route]:
    """List the routes over one desk."""
    one_at_a_time = threading.Lock()

    def status(request: Request) -> Response:
        with one_at_a_time:
            return Json(desk.status(request.query_params.get("use_case", "")))

    def run(_request: Request, _body: dict[str, Any]) -> Response:
        return Json(asdict(desk.run()))

    return [Route("/api/judge", status), Route("/api/judge/run", with_body(run), methods=["POST"])]

"""The routes, and what becomes of errors."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.api.security import App, LoopbackOnly
from tocsin_console.api.spool import SpoolViews
from tocsin_console.api.views import Endpoint, Views
from tocsin_console.api.wire import Json
from tocsin_console.errors import UNREACHABLE, UsageProblem, exit_code
from tocsin_console.parts import Parts
from tocsin_wire import TocsinError

_log = logging.getLogger(__name__)


def build_app(parts: Parts) -> App:
    """Put the API together over the parts of a running ``up``."""
    views = Views(parts)
    spool = SpoolViews(parts.config.data_dir / "spool", parts.spool)
    routes = [
        Route("/", views.page),
        Route("/style.css", views.style),
        Route("/healthz", views.healthz),
        Route("/readyz", views.readyz),
        Route("/metrics", views.metrics),
        Route("/api/status", views.status),
        Route("/api/use-cases", views.use_cases),
        Route("/api/use-cases/map", _with_body(views.map_use_cases), methods=["POST"]),
        Route("/api/alerts", views.alerts),
        Route("/api/rules", views.rules),
        Route("/api/guard", views.guards),
        Route("/api/guard/{use_case:path}", _with_body(views.change_guard), methods=["POST"]),
        Route("/api/prices", views.prices),
        Route("/api/prices/sync", _with_body(views.sync_prices), methods=["POST"]),
        Route("/api/disk", views.disk),
        Route("/api/disk/drop", _with_body(views.disk_drop), methods=["POST"]),
        Route("/api/forget", _with_body(views.forget), methods=["POST"]),
        Route("/api/keys", views.keys),
        Route("/api/keys", _with_body(views.create_key), methods=["POST"]),
        Route("/api/keys/{key_id}/revoke", _with_body(views.revoke_key), methods=["POST"]),
        Route("/api/spool", spool.ls),
        Route("/api/spool/verify", spool.verify),
        Route("/api/spool/replay", _with_body(spool.replay), methods=["POST"]),
        Route("/api/dead-letters", spool.letters),
        Route("/api/dead-letters/retry", _with_body(spool.retry), methods=["POST"]),
        Route("/api/dead-letters/{digest}", spool.letter),
        Route("/api/outcomes", _with_body(views.record_outcomes), methods=["POST"]),
        Route("/api/query", _with_body(views.query), methods=["POST"]),
        Route("/api/recent-calls", views.recent_calls),
        Route("/api/call", views.call),
        Route("/api/notifications", views.notifications),
        Route("/api/notifications/{incident}", views.notifications),
    ]
    app = Starlette(routes=routes, exception_handlers={TocsinError: _explain, Exception: _admit})
    return LoopbackOnly(app, any_host=parts.config.insecure)


def _with_body(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError as error:
            raise UsageProblem(f"expected JSON in the body: {error}") from error
        if not isinstance(body, dict):
            raise UsageProblem("expected a JSON object in the body")
        return await run_in_threadpool(endpoint, request, body)

    return answer


async def _explain(_request: Request, error: Exception) -> Response:
    status = 503 if isinstance(error, TocsinError) and exit_code(error) == UNREACHABLE else 400
    return Json({"error": str(error)}, status_code=status)


async def _admit(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed: %r", request.method, request.url.path, error)
    answer: dict[str, Any] = {"error": f"tocsin failed to answer this ({type(error).__name__}): look at its log"}
    return Json(answer, status_code=500)

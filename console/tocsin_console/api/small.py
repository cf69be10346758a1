"""What a process without a page answers: that it lives, whether it is ready, and its figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tocsin_console.access.gate import Acted, Gate, Identify, guarded
from tocsin_console.api.answering import ON_ERROR
from tocsin_console.api.collector_metrics import add_collector
from tocsin_console.api.exposition import Text
from tocsin_console.api.process_metrics import add_process
from tocsin_console.api.security import App, LoopbackOnly, Receive, Scope, Send
from tocsin_console.api.wire import Json


class Switch:
    """Answers with one application until it is given another: an evaluator that waits becomes one that works."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        await self.app(scope, receive, send)


def build_small_app(
    state: Callable[[], Mapping[str, Any]],
    *,
    any_host: bool,
    identify: Identify,
    acted: Acted,
    more: Sequence[Route] = (),
) -> App:
    """Put together ``/healthz``, ``/readyz``, ``/metrics`` and ``/api/status`` over one document.

    Args:
        state: Says at least ``ready``; its numbers under ``collector`` become metrics.
        any_host: Whether others than this machine may ask.
        identify: Says who asks; each route lets in whom ``access/required.py`` names.
        acted: Told when somebody has done something.
        more: What this process answers besides.
    """

    async def healthz(_request: Request) -> Response:
        return Json({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        said = await run_in_threadpool(state)
        return Json({"ready": said["ready"]}, status_code=200 if said["ready"] else 503)

    async def status(_request: Request) -> Response:
        return Json(await run_in_threadpool(state))

    async def metrics(_request: Request) -> Response:
        text = _figures(await run_in_threadpool(state))
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/api/status", status),
        *more,
    ]
    app = Starlette(routes=[guarded(route, acted) for route in routes], exception_handlers=ON_ERROR)
    return LoopbackOnly(Gate(app, identify), any_host=any_host)


def _figures(state: Mapping[str, Any]) -> str:
    text = Text()
    text.add("tocsin_info", "gauge", "Version and role of this tocsin.", [(dict(state["info"]), 1)])
    text.add("tocsin_ready", "gauge", "1 when it does its work.", [({}, int(state["ready"]))])
    text.add("tocsin_watermark_lag_seconds", "gauge", "Age of the oldest data not yet loaded.", [({}, state["lag_s"])])
    if state["collector"] is not None:
        add_collector(text, state["collector"], spool_max_bytes=state["spool_max_bytes"], lag_s=state["lag_s"])
    add_process(text, started_at_s=state["started_at"].timestamp())
    return "\n".join(text.lines) + "\n"

"""The endpoint that takes outcomes: of a process with a spool, or of one that passes them on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.api.answering import with_body
from tocsin_console.api.wire import Json
from tocsin_console.errors import UsageProblem

OUTCOMES = "/api/outcomes"


def outcome_route(record: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]) -> Route:
    """Give the route; what it answers is durable."""

    def take(_request: Request, body: dict[str, Any]) -> Response:
        """Pass outcomes on to the collector."""
        outcomes = body.get("outcomes")
        if not isinstance(outcomes, list) or not outcomes or not all(isinstance(each, dict) for each in outcomes):
            raise UsageProblem('expected {"outcomes": [{"handle": …}, …]}')
        return Json(record(outcomes))

    return Route(OUTCOMES, with_body(take), methods=["POST"])

"""The endpoints that try rules on the store."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.api.answering import time_of, with_body
from tocsin_console.api.wire import Json
from tocsin_console.errors import UsageProblem
from tocsin_console.rehearsing import Rehearsal


def rehearsal_routes(rehearsal: Rehearsal) -> list[Route]:
    """List the routes over one rehearsal."""

    def now(_request: Request, body: dict[str, Any]) -> Response:
        names = body.get("rules", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UsageProblem(f"expected names of rules under 'rules', got {names!r}")
        return Json({"judged": rehearsal.now(names)})

    def past(_request: Request, body: dict[str, Any]) -> Response:
        rule, since, until = (body.get(name) for name in ("rule", "since", "until"))
        if not isinstance(rule, str) or not isinstance(since, str):
            raise UsageProblem("expected the name of a rule under 'rule', and a time under 'since'")
        return Json(
            rehearsal.past(
                rule,
                since=time_of(since),
                until=time_of(str(until)) if until else None,
                shipped=body.get("shipped") is True,
            )
        )

    def check(_request: Request) -> Response:
        return Json(rehearsal.check())

    return [
        Route("/api/rules/check", check),
        Route("/api/rules/dry-run", with_body(now), methods=["POST"]),
        Route("/api/rules/backtest", with_body(past), methods=["POST"]),
    ]

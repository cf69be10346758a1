"""How an endpoint is called with a body, and what becomes of errors."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin_alerts.durations import parse_duration
from tocsin_console.api.wire import Json
from tocsin_console.errors import UNREACHABLE, AccessRefused, UsageProblem, exit_code
from tocsin_wire import TocsinError

Endpoint: TypeAlias = Callable[[Request, dict[str, Any]], Response]
_log = logging.getLogger(__name__)


def with_body(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """Give an endpoint the JSON object that was sent, in a thread of its own."""

    async def answer(request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError as error:
            raise UsageProblem(f"expected JSON in the body: {error}") from error
        if not isinstance(body, dict):
            raise UsageProblem("expected a JSON object in the body")
        if person := request.scope.get("tocsin.person"):
            body["actor"] = person  # who signed in acts under no other name
        request.scope["tocsin.actor"] = str(body.get("actor") or "")
        return await run_in_threadpool(endpoint, request, body)

    return answer


def text_of(body: Mapping[str, Any], name: str) -> str:
    """Give a text of a body that has to have it.

    Raises:
        UsageProblem: it is none, or blank.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UsageProblem(f"expected a text under {name!r}, got {json.dumps(value)[:40]}")
    return value


def duration_of(said: Mapping[str, Any], name: str) -> timedelta:
    """Give a duration such as ``2h`` of a body, a form or a query that has to have it.

    Raises:
        UsageProblem: it is none.
    """
    try:
        return parse_duration(text_of(said, name))
    except ValueError as error:
        raise UsageProblem(f"{name}: {error}") from error


def time_of(text: str, name: str = "") -> datetime:
    """Read a time or a day that somebody wrote; of UTC unless it says otherwise.

    Raises:
        UsageProblem: it is none.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        what = f"{name} as a time or a day" if name else "a day or a time"
        raise UsageProblem(f"expected {what} such as 2026-03-02 or 2026-03-02T12:00, got {text[:60]!r}") from error
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)


async def _explain(_request: Request, error: Exception) -> Response:
    if isinstance(error, AccessRefused):
        return Json({"error": str(error)}, status_code=403)
    status = 503 if isinstance(error, TocsinError) and exit_code(error) == UNREACHABLE else 400
    return Json({"error": str(error)}, status_code=status)


async def _admit(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed: %r", request.method, request.url.path, error)
    answer: dict[str, Any] = {"error": f"tocsin failed to answer this ({type(error).__name__}): look at its log"}
    return Json(answer, status_code=500)


ON_ERROR: Final[dict[Any, Any]] = {TocsinError: _explain, Exception: _admit}

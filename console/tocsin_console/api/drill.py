"""The endpoint of fire drills."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_alerts.drill.decay import Decay
from tocsin_console.api.answering import text_of, with_body
from tocsin_console.api.wire import Json
from tocsin_console.drill.desk import REVIEWS, DrillDesk
from tocsin_console.errors import UsageProblem


def drill_routes(desk: DrillDesk) -> list[Route]:
    """List the routes over one desk."""

    def drill(_request: Request, body: dict[str, Any]) -> Response:
        kind = body.get("kind", "concept")
        drop, over, more = _number(body, "drop"), _number(body, "over_days"), _number(body, "reviews", REVIEWS)
        if kind not in ("concept", "covariate"):
            raise UsageProblem(f"expected kind concept or covariate, got {kind!r}")
        if not 0 <= more <= 1_000:
            raise UsageProblem(f"expected 0 to 1,000 reviews a week, got {more:g}")
        return Json(
            desk.run(
                str(body.get("project") or "default"),
                text_of(body, "use_case"),
                Decay(kind=kind, drop=drop, over=int(over)),
                more_reviews=int(more),
                is_delivered=body.get("deliver") is True,
                by=text_of(body, "actor"),
            )
        )

    return [Route("/api/drill", with_body(drill), methods=["POST"])]


def _number(body: Mapping[str, Any], name: str, default: float | None = None) -> float:
    said = body.get(name, default)
    if not isinstance(said, int | float) or isinstance(said, bool):
        raise UsageProblem(f"expected a number under {name!r}, got {said!r}")
    return float(said)

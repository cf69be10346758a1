"""The endpoints about references and releases."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_alerts.reference_rows import RowCounts
from tocsin_console.api.answering import text_of, with_body
from tocsin_console.api.wire import Json
from tocsin_console.errors import UsageProblem
from tocsin_console.reference_desk import ReferenceDesk


def reference_routes(desk: ReferenceDesk) -> list[Route]:
    """List the routes over one desk."""

    def listed(_request: Request) -> Response:
        return Json({"versions": desk.listed()})

    def accept(_request: Request, body: dict[str, Any]) -> Response:
        return Json(desk.accept(_asked(body), by=text_of(body, "actor")))

    def freeze(_request: Request, body: dict[str, Any]) -> Response:
        return Json(desk.freeze(_asked(body), by=text_of(body, "actor")))

    def load(_request: Request, body: dict[str, Any]) -> Response:
        return Json(desk.load(_asked(body), _counts(body), by=text_of(body, "actor")))

    return [
        Route("/api/references", listed),
        Route("/api/references/load", with_body(load), methods=["POST"]),
        Route("/api/references/accept", with_body(accept), methods=["POST"]),
        Route("/api/references/freeze", with_body(freeze), methods=["POST"]),
    ]


def _counts(body: dict[str, Any]) -> RowCounts:
    try:
        return RowCounts.of(body["counts"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageProblem("expected counts of rows under 'counts', as 'tocsin reference load' sends them") from error


def _asked(body: dict[str, Any]) -> dict[str, Any]:
    text_of(body, "use_case")
    optional = ("project", "model_version", "prompt_version", "reason")
    wrong = [name for name in optional if not isinstance(body.get(name), str | None)]
    if wrong:
        raise UsageProblem(f"expected a text under {wrong[0]!r}, got {body[wrong[0]]!r}")
    return body

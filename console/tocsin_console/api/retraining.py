"""The endpoints of retraining."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_alerts.retraining.book import RetrainingBook
from tocsin_console.api.answering import text_of, with_body
from tocsin_console.api.wire import Json
from tocsin_console.errors import UsageProblem


def retraining_routes(book: RetrainingBook) -> list[Route]:
    """List the routes over one book."""

    def status(request: Request) -> Response:
        asked = request.query_params
        return Json({"retraining": book.status(asked.get("project", ""), asked.get("use_case", ""))})

    def close(request: Request, body: dict[str, Any]) -> Response:
        result, actor = body.get("result"), body.get("actor")
        if not isinstance(result, str) or not result.strip() or not isinstance(actor, str) or not actor:
            raise UsageProblem("expected texts under 'result' and 'actor'")
        try:
            return Json({"run": book.close(request.path_params["run"], result[:2_000], by=actor)})
        except LookupError as error:
            raise UsageProblem(str(error)) from error

    def start(request: Request, body: dict[str, Any]) -> Response:
        project, because = str(body.get("project") or "default"), text_of(body, "because")
        use_case = request.path_params["use_case"]
        try:
            return Json({"run": book.start(project, use_case, because=because[:2_000], by=text_of(body, "actor"))})
        except LookupError as error:
            raise UsageProblem(str(error)) from error

    return [
        Route("/api/retraining", status),
        Route("/api/retraining/{use_case:path}/start", with_body(start), methods=["POST"]),
        Route("/api/retraining/{run}/close", with_body(close), methods=["POST"]),
    ]

"""The endpoints of what is reported."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_alerts.report.letter import as_html, as_text, subject
from tocsin_console.api.answering import with_body
from tocsin_console.api.wire import Json
from tocsin_console.report.desk import ReportDesk, as_document
from tocsin_console.report.sending import Postbox


def report_routes(desk: ReportDesk, postbox: Postbox) -> list[Route]:
    """List the routes over one desk, and the box that its letters go into."""

    def readiness(request: Request) -> Response:
        asked = request.query_params
        return Json({"readiness": desk.readiness(asked.get("project", ""), asked.get("use_case", ""))})

    def weekly(_request: Request) -> Response:
        week = desk.week()
        written = {"subject": subject(week), "text": as_text(week), "html": as_html(week)}
        return Json({"week": as_document(week), **written})

    def send(_request: Request, _body: dict[str, Any]) -> Response:
        return Json({"sent": postbox.send(desk.week())})

    return [
        Route("/api/report/readiness", readiness),
        Route("/api/report/weekly", weekly),
        Route("/api/report/weekly/send", with_body(send), methods=["POST"]),
    ]

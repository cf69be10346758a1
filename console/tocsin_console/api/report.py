"""The endpoints of what is reported."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.api.wire import Json
from tocsin_console.report.desk import ReportDesk


def report_routes(desk: ReportDesk) -> list[Route]:
    """List the routes over one desk."""

    def readiness(request: Request) -> Response:
        asked = request.query_params
        return Json({"readiness": desk.readiness(asked.get("project", ""), asked.get("use_case", ""))})

    return [Route("/api/report/readiness", readiness)]

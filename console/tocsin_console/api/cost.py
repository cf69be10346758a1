"""The endpoint of true cost."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.api.wire import Json
from tocsin_console.cost.desk import CostDesk
from tocsin_console.errors import UsageProblem


def cost_routes(desk: CostDesk) -> list[Route]:
    """List the routes over one desk."""

    def bills(request: Request) -> Response:
        asked = request.query_params
        days, month = asked.get("days", "30"), asked.get("calls_per_month")
        try:
            calls = None if month is None else float(month)
        except ValueError as error:
            raise UsageProblem(f"expected a number of calls a month, got {month!r}") from error
        if not days.isdecimal() or (calls is not None and not 0 < calls < 1e15):
            raise UsageProblem(f"expected whole days and calls above 0, got {days!r} and {month!r}")
        found = desk.bills(
            asked.get("project") or "default", asked.get("use_case", ""), days=int(days), calls_per_month=calls
        )
        return Json(found)

    return [Route("/api/cost", bills)]

"""What it costs: every use case, and one with its days, versions, segments and the whole bill."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import Route

from tocsin_alerts.plain import one_line
from tocsin_console.at_a_glance import clock_of
from tocsin_console.cost.kept import CHEAP_CALLS, KeptBills
from tocsin_console.cost.spending import NOTHING, added, by_day, main_currency, months
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts
from tocsin_console.web.charts import chart_route
from tocsin_console.web.links import use_case_link, with_query
from tocsin_console.web.page import Document, Page

_DAYS: Final = 30
_CHOICES: Final = (7, 30, 90)
_FRESH: Final = timedelta(days=3)
_NOTHING: Final[Mapping[str, list[Any]]] = {"forecast": [], "per_right": []}


def cost_pages(parts: Parts) -> list[Page]:
    """List the two pages."""
    bills = KeptBills(desk=parts.cost)

    def everything(request: Request) -> Document:
        days = _days(request)
        cells, span = _cells(parts, "", "", days)
        money = _latest(parts, "", "")
        rows = [
            {**row, **money.get((row["project"], row["use_case"]), _NOTHING), "budget_per_day": _budget(parts, row)}
            for row in added(cells, ("project", "use_case"))
        ]
        return {
            **_common(cells, span, days, "/cost"),
            "use_cases": rows,
            "chart": with_query("/charts/cost.svg", days=days),
        }

    def one(request: Request) -> Document:
        project, use_case = request.path_params["project"], request.path_params["use_case"]
        about, days = {"project": project, "use_case": use_case}, _days(request)
        path = use_case_link(about, "cost")
        cells, span = _cells(parts, project, use_case, days)
        common = _common(cells, span, days, path)
        calls = common["total"]["calls"]
        bill = (
            bills.bill(project, use_case, days=days, calls=calls, is_asked="bill" in request.query_params)
            if calls
            else None
        )
        return {
            **about,
            **common,
            **_latest(parts, project, use_case).get((project, use_case), _NOTHING),
            "budget_per_day": _budget(parts, about),
            "versions": added(cells, ("model_version", "prompt_version")),
            "segments": added(parts.book.ask("cost_segments", {**about, **span}), ("segment_name", "segment_value")),
            "daily": added(cells, ("day", "model_version", "prompt_version")),
            "bill": bill,
            "bill_path": with_query(path, days=days, bill="yes"),
            "is_cheap": calls <= CHEAP_CALLS,
            "chart": with_query("/charts/cost.svg", **about, days=days),
        }

    return [
        Page(
            path="/cost",
            section="cost",
            template="cost.html.j2",
            read=everything,
            rows=lambda doc: _flat(doc["use_cases"]),
        ),
        Page(
            path="/cost/{project}/{use_case:path}",
            section="cost",
            template="cost_of_one.html.j2",
            read=one,
            rows=lambda doc: _flat(sorted(doc["daily"], key=lambda row: row["day"])),
        ),
    ]


def cost_charts(parts: Parts) -> list[Route]:
    """List the one route: cost by day, stacked by use case, or by version of one."""

    def stacked(request: Request) -> Mapping[str, Any] | None:
        project, use_case = (request.query_params.get(name, "") for name in ("project", "use_case"))
        cells, span = _cells(parts, project, use_case, _days(request))
        currency = main_currency(cells)
        if not currency:
            return None
        rows = by_day(
            cells,
            lambda cell: one_line(_version(cell) if use_case else str(cell["use_case"]), limit=40),
            currency=currency,
            since=span["since"],
            until=span["until"],
        )
        return {"type": "stack", "title": f"Cost a day in {currency}", "format": ",.3~g", "rows": rows}

    return [chart_route("/charts/cost.svg", stacked, parts.figures)]


def _cells(parts: Parts, project: str, use_case: str, days: int) -> tuple[list[dict[str, Any]], dict[str, datetime]]:
    since, until = parts.cost.span(days)
    span = {"since": since, "until": until}
    return parts.book.ask("cost_cells", {"project": project, "use_case": use_case, **span}), span


def _common(cells: Sequence[Mapping[str, Any]], span: Mapping[str, datetime], days: int, path: str) -> dict[str, Any]:
    [total] = added(cells, ()) or [NOTHING]
    choices = [{"days": each, "path": with_query(path, days=each)} for each in _CHOICES]
    return {**span, "days": days, "total": total, "currency": main_currency(cells), "choices": choices}


def _latest(parts: Parts, project: str, use_case: str) -> dict[tuple[str, str], dict[str, list[dict[str, Any]]]]:
    at = clock_of(parts)
    return months(
        parts.book.ask("cost_latest", {"project": project, "use_case": use_case, "since": at - _FRESH, "until": at})
    )


def _budget(parts: Parts, about: Mapping[str, Any]) -> dict[str, Any] | None:
    budget = parts.plans.get(about["project"], about["use_case"]).budget
    return None if budget.per_day is None else {"amount": float(budget.per_day), "currency": budget.currency or ""}


def _version(cell: Mapping[str, Any]) -> str:
    return (
        " / ".join(each for each in (str(cell["model_version"]), str(cell["prompt_version"])) if each) or "no version"
    )


def _flat(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give each currency a column."""
    plain = (
        "project",
        "use_case",
        "day",
        "model_version",
        "prompt_version",
        "calls",
        "retries",
        "unpriced",
        "fallback",
    )
    return [
        {name: row[name] for name in plain if name in row}
        | {f"cost_{name}": value for name, value in row["amounts"].items()}
        for row in rows
    ]


def _days(request: Request) -> int:
    said = request.query_params.get("days", str(_DAYS))
    if not said.isdecimal() or not 1 <= int(said) <= 400:
        raise UsageProblem(f"expected 1 to 400 days, got {said[:40]!r}")
    return int(said)

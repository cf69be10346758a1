"""The page of one use case: whether it is right, since when it is not, and why."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import Route

from tocsin_alerts.plain import one_line
from tocsin_console import one_use_case
from tocsin_console.at_a_glance import MEASURES
from tocsin_console.checkup import NO_CALLS
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts
from tocsin_console.web.charts import chart_route
from tocsin_console.web.links import use_case_link, with_query
from tocsin_console.web.page import Document, Page

DAYS: Final = (30, 90, 365)
_MOST_DAYS: Final = 3_660
_MOST_MARKS: Final = 9
_AT: Final = "/{project}/{use_case:path}"


def use_case_pages(parts: Parts) -> list[Page]:
    """List the page of a use case, and the one that says why it fell."""

    def read(request: Request) -> Document:
        project, use_case = named(request)
        days = days_of(request)
        row = one_use_case.named(parts, project, use_case)
        past = one_use_case.history(parts, project, use_case, days=days)
        chart = with_query(f"{use_case_link(row, 'charts/quality')}.svg", days=days)
        return {
            "project": project,
            "use_case": use_case,
            "days": days,
            "standing": row,
            "lacking": None if row["calls"] else dict(zip(("said", "do"), NO_CALLS, strict=True)),
            "chart": chart if len(past["quality"]) > 1 else "",
            "chart_words": _words(past, row),
            "calibration_chart": f"{use_case_link(row, 'charts/calibration')}.svg",
            **past,
            **one_use_case.figures(parts, project, use_case),
        }

    def why(request: Request) -> Document:
        project, use_case = named(request)
        row = one_use_case.named(parts, project, use_case)
        return {"project": project, "use_case": use_case, "standing": row, "why": parts.explain(project, use_case)}

    return [
        Page(
            path=f"/use-cases{_AT}",
            section="overview",
            template="use_case.html.j2",
            read=read,
            rows=lambda document: document["quality"],
        ),
        Page(path=f"/why{_AT}", section="overview", template="why.html.j2", read=why, rows=_causes),
    ]


def use_case_routes(parts: Parts) -> list[Route]:
    """List its charts."""

    def quality(request: Request) -> Mapping[str, Any] | None:
        project, use_case = named(request)
        past = one_use_case.history(parts, project, use_case, days=days_of(request))
        return quality_figure(past, floor=parts.plans.get(project, use_case).quality.floor)

    def calibration(request: Request) -> Mapping[str, Any] | None:
        project, use_case = named(request)
        then = one_use_case.calibration(parts, project, use_case)["points"]
        now = one_use_case.reliability(parts, project, use_case)
        return calibration_figure(then, now)

    return [
        chart_route(f"/charts/quality{_AT}.svg", quality, parts.figures),
        chart_route(f"/charts/calibration{_AT}.svg", calibration, parts.figures),
    ]


def named(request: Request) -> tuple[str, str]:
    """Give project and use case of an address."""
    return request.path_params["project"], request.path_params["use_case"]


def days_of(request: Request) -> int:
    """Give the days that an address asks for.

    Raises:
        UsageProblem: it is no number of days.
    """
    text = request.query_params.get("days") or str(DAYS[1])
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _MOST_DAYS):
        raise UsageProblem(f"expected days from 1 to {_MOST_DAYS}, got {text[:20]!r}")
    return int(text)


def quality_figure(past: Mapping[str, Any], *, floor: float | None) -> dict[str, Any] | None:
    """Say what is drawn of a use case's past: quality with intervals, and what happened; None: too little. Pure."""
    measured = [each for each in MEASURES if sum(row["measure"] == each for row in past["quality"]) > 1]
    rows = [row for measure in measured for row in _line(past["quality"], measure)]
    if not rows:
        return None
    reference = past["reference"]
    first = min(row["at"] for row in rows)
    shades = []
    if reference and reference["until"] and reference["until"].isoformat() > first:
        since = max(reference["since"].isoformat(), first)
        shades.append({"since": since, "until": reference["until"].isoformat(), "name": "reference"})
    return {
        "type": "series",
        "title": "quality",
        "format": ".0%",
        "rows": rows,
        "lines": [] if floor is None else [{"value": floor, "name": f"floor {floor:.0%}"}],
        "shades": shades,
        "marks": list(_marks(past, first))[-_MOST_MARKS:],
        "height": 260,
    }


def calibration_figure(then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Say what is drawn of how sure the model may be; None: too little. Pure."""
    rows = [
        {"x": each["confidence"], "y": each["accuracy"], "n": each["labels"], "by": by}
        for by, points in (("reference", then), ("last four weeks", now))
        for each in points
    ]
    if not rows:
        return None
    return {
        "type": "points", "title": "calibration", "format": ".0%", "rows": rows, "diagonal": True, "width": 420, "height": 300,
        "x_title": "how sure it was", "y_title": "how often it was right",
    }  # fmt: skip


def _line(rows: Sequence[Mapping[str, Any]], measure: str) -> Iterator[dict[str, Any]]:
    """Give one line day by day: a day without a sample is a gap."""
    known = {row["slot"]: row for row in rows if row["measure"] == measure}
    day, last = min(known), max(known)
    while day <= last:
        row = known.get(day) or dict.fromkeys(("value", "lower", "upper"))
        figures = {name: row[name] for name in ("value", "lower", "upper")}
        yield {"at": day.isoformat(), "by": MEASURES[measure], **figures}
        day += timedelta(days=1)


def _marks(past: Mapping[str, Any], first: str) -> Iterator[dict[str, Any]]:
    """Give what happened, in order: releases after the first, and incidents."""
    versions = sorted((each for each in past["releases"] if each["first_hour"]), key=lambda each: each["first_hour"])
    found = [
        {"at": each["first_hour"].isoformat(), "name": f"release {_version(each)}", "tone": "quiet"}
        for each in versions[1:]
    ]
    for each in past["incidents"]:
        name = one_line(str(each["rules"][0]) if each["rules"] else "alert", limit=24)
        found.append(
            {
                "at": each["since"].isoformat(),
                "name": f"! {name}",
                "tone": "wrong" if each["severity"] == "page" else "quiet",
            }
        )
    yield from (each for each in sorted(found, key=lambda each: each["at"]) if each["at"] >= first)


def _version(release: Mapping[str, Any]) -> str:
    said = " ".join(str(release[name]) for name in ("model_version", "prompt_version") if release[name])
    return one_line(said, limit=24) or "without a name"


def _words(past: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Say what the chart shows, for who does not see it."""
    quality = row["quality"]
    now = f"now {quality['value']:.1%} {quality['by']}" if quality else "now unknown"
    happened = f"{len(past['incidents'])} incidents and {max(0, len(past['releases']) - 1)} later releases are marked"
    return f"Quality by day from {past['since']:%Y-%m-%d} to {past['until']:%Y-%m-%d}, {now}; {happened}"


def _causes(document: Document) -> Sequence[Mapping[str, Any]]:
    why = document["why"]
    return [{"kind": "sentence", "what": each} for each in why["sentences"]] + [
        {"kind": kind, "what": each["name"], "points": each["points"]}
        for kind in ("segments", "fields")
        for each in why[kind]
    ]

"""The endpoints of an incident's page."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tocsin_alerts.charts.quality import chart_of
from tocsin_console.api.answering import duration_of, text_of
from tocsin_console.api.incident_page import render_incident, render_missing
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts
from tocsin_wire import TocsinError

_MOST_FIELDS: Final = 8
_DONE: Final = {"acknowledged": "Acknowledged.", "silenced": "Silenced."}
_MEDIA: Final = {"png": "image/png", "svg": "image/svg+xml"}
_Act = Callable[[str, Mapping[str, Any]], str]


def incident_routes(parts: Parts) -> list[Route]:
    """List the routes over the parts of a running ``up``."""
    pages = _Pages(parts)
    return [
        Route("/alerts/{incident}", pages.show),
        Route("/alerts/{incident}/chart.{kind}", pages.chart),
        Route("/alerts/{incident}/acknowledge", pages.posted(pages.acknowledge), methods=["POST"]),
        Route("/alerts/{incident}/silence", pages.posted(pages.silence), methods=["POST"]),
    ]


class _Pages:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def show(self, request: Request) -> Response:
        done = _DONE.get(request.query_params.get("done", ""), "")
        return _page(self._parts, request.path_params["incident"], done)

    def chart(self, request: Request) -> Response:
        data, kind = _data(self._parts, request.path_params["incident"]), request.path_params["kind"]
        if kind not in _MEDIA or not (drawn := self._parts.draw(data, kind)):
            return Response(status_code=404)
        return Response(drawn, media_type=_MEDIA[kind])

    def acknowledge(self, incident: str, form: Mapping[str, Any]) -> str:
        self._parts.acknowledgements.acknowledge(incident, by=text_of(form, "actor"), note=str(form.get("note", "")))
        return "acknowledged"

    def silence(self, incident: str, form: Mapping[str, Any]) -> str:
        about = _alerts(self._parts, incident)
        rule = str(form.get("rule", ""))
        if not about or (rule and rule not in {each["rule"] for each in about}):
            raise UsageProblem(f"expected a rule of this incident, got {rule!r}")
        self._parts.silences.add(
            duration_of(form, "for"),
            project=about[0]["project"],
            use_case=about[0]["use_case"],
            rule=rule,
            by=text_of(form, "actor"),
            because=text_of(form, "because"),
        )
        return "silenced"

    def posted(self, act: _Act) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            form = _form(await request.body())
            return await run_in_threadpool(self._acted, request.path_params["incident"], form, act)

        return answer

    def _acted(self, incident: str, form: Mapping[str, Any], act: _Act) -> Response:
        try:
            done = act(incident, form)
        except TocsinError as error:
            return _page(self._parts, incident, str(error), status_code=400)
        return RedirectResponse(f"/alerts/{incident}?done={done}", status_code=303)


def _page(parts: Parts, incident: str, said: str, *, status_code: int = 200) -> Response:
    alerts, told = _alerts(parts, incident), _told(parts, incident)
    if not alerts and told is None:
        return HTMLResponse(render_missing(incident), status_code=404)
    chart = chart_of(_data(parts, incident))
    page = render_incident(incident, alerts=alerts, told=told, chart=str(chart["alt"]) if chart else "", said=said)
    return HTMLResponse(page, status_code=status_code)


def _alerts(parts: Parts, incident: str) -> list[dict[str, Any]]:
    return [each for each in parts.book.alerts(everything=True) if each["incident"] == incident]


def _told(parts: Parts, incident: str) -> dict[str, Any] | None:
    found = [each for each in parts.book.notifications(incident) if each["incident"] == incident]
    return max(found, key=lambda each: (each["slot"], each["at"]), default=None)


def _data(parts: Parts, incident: str) -> dict[str, Any]:
    found = parts.book.ask("notification_data", {"incident": incident})
    return dict(json.loads(found[0]["data"] or "{}")) if found else {}


def _form(body: bytes) -> dict[str, str]:
    """Read a form, each field once."""
    try:
        said = parse_qs(body.decode(), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise UsageProblem(f"expected a form of at most {_MOST_FIELDS} fields: {error}") from error
    return {name: values[-1].strip() for name, values in said.items()}

"""Every page, what surrounds it, and what becomes of errors where a person looks."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tocsin_console.access.gate import COOKIE
from tocsin_console.alerting import open_pages
from tocsin_console.api.answering import ON_ERROR
from tocsin_console.api.wire import Json
from tocsin_console.parts import Parts
from tocsin_console.web.alerts import alerts_pages, alerts_routes
from tocsin_console.web.ask import ask_pages, ask_routes
from tocsin_console.web.calls import call_forms, call_pages
from tocsin_console.web.cost import cost_charts, cost_pages
from tocsin_console.web.drift import drift_pages
from tocsin_console.web.guard import guard_pages, guard_routes
from tocsin_console.web.incident import incident_pages, incident_routes
from tocsin_console.web.login import login_routes
from tocsin_console.web.overview import overview_pages
from tocsin_console.web.page import Frame, page_routes
from tocsin_console.web.readiness import readiness_pages
from tocsin_console.web.receipts import Receipts, receipt_pages, receipt_routes
from tocsin_console.web.report import report_pages
from tocsin_console.web.review import review_forms, review_pages
from tocsin_console.web.rule_trials import Trials
from tocsin_console.web.rules import rules_pages, rules_routes
from tocsin_console.web.runbooks import runbook_pages
from tocsin_console.web.static import static_routes
from tocsin_console.web.system import system_pages, system_routes
from tocsin_console.web.templates import render
from tocsin_console.web.use_case import use_case_pages, use_case_routes
from tocsin_wire import TocsinError

SECTIONS: Final = (
    ("overview", "Overview", "/", "o"),
    ("alerts", "Alerts", "/alerts", "a"),
    ("calls", "Calls", "/calls", "c"),
    ("cost", "Cost", "/cost", "m"),
    ("review", "Review", "/review", "v"),
    ("rules", "Rules", "/rules", "l"),
    ("guard", "Guard", "/guard", "u"),
    ("readiness", "Readiness", "/readiness", "r"),
    ("report", "Week", "/report", "w"),
    ("system", "System", "/system", "s"),
    ("sql", "SQL", "/sql", "q"),
)
_DOCUMENTS: Final = ("/api/", "/hooks/")
_FILES: Final = (".json", ".csv", ".parquet", ".svg", ".png")
_NOTHING: Final = "Not Found"  # what Starlette says where there is no route


def web_routes(parts: Parts) -> list[Route]:
    """List the routes of every page, their twins, and what they load."""
    frame, news, receipts = _frame(parts), parts.news, Receipts(parts)
    trials = Trials(parts.rehearsal, now=parts.now)
    pages = [
        *overview_pages(parts),
        *alerts_pages(parts),
        *incident_pages(parts),
        *use_case_pages(parts),
        *drift_pages(parts),
        *rules_pages(parts, trials),
        *runbook_pages(parts),
        *guard_pages(parts),
        *readiness_pages(parts),
        *report_pages(parts),
        *system_pages(parts),
        *ask_pages(parts),
        *receipt_pages(receipts),
        *call_pages(parts),
        *cost_pages(parts),
        *review_pages(parts),
    ]
    keys, is_https = parts.access_keys, parts.config.public_url.startswith("https:")
    return [
        *static_routes(),
        *(login_routes(keys, frame, is_https=is_https) if keys else ()),
        Route("/events", news.stream),
        *alerts_routes(parts),
        *incident_routes(parts),
        *use_case_routes(parts),
        *rules_routes(parts, trials),
        *guard_routes(parts),
        *system_routes(parts),
        *ask_routes(parts),
        *receipt_routes(receipts, frame),
        *call_forms(parts),
        *cost_charts(parts),
        *review_forms(parts),
        *(route for page in pages for route in page_routes(page, frame, news)),
    ]


def web_errors(parts: Parts) -> dict[Any, Any]:
    """Say which handler answers an error: a page for people, one sentence in JSON for programs."""
    frame = _frame(parts, is_counted=False)  # what failed may be the store

    def shown(handle: Callable[..., Any]) -> Callable[..., Any]:
        async def answer(request: Request, error: Exception) -> Response:
            said: Response = await handle(request, error)
            if not _is_for_people(request):
                return said
            title = "This could not be done" if request.method == "POST" else "This could not be shown"
            words = str(error) if isinstance(error, TocsinError) else "tocsin failed to answer this: look at its log"
            return _problem(frame(request), title, words, said.status_code)

        return answer

    async def missing(request: Request, error: HTTPException) -> Response:
        if _is_for_people(request) and error.status_code == 404:
            words = error.detail if error.detail != _NOTHING else f"Nothing is at {request.url.path}."
            return _problem(frame(request), "There is no such page", words, 404)
        said = Json({"error": error.detail}, status_code=error.status_code)  # it may hold what was asked for
        said.headers.update(error.headers or {})
        return said

    return {kind: shown(handle) for kind, handle in ON_ERROR.items()} | {HTTPException: missing}


def _frame(parts: Parts, *, is_counted: bool = True) -> Frame:
    def around(request: Request) -> Mapping[str, Any]:
        person = request.scope.get("tocsin.who")
        may_look = is_counted and person is not None and person.may("viewer")
        counts = {"alerts": open_pages(parts)} if may_look else {}
        return {
            "version": parts.version,
            "evaluated_through": _through(parts),
            "person": str(request.scope.get("tocsin.person") or ""),
            "can_leave": COOKIE in request.cookies,
            "section": "",
            "twins": None,
            "sections": [
                {"name": name, "title": title, "path": path, "key": key, "count": counts.get(name, 0)}
                for name, title, path, key in SECTIONS
            ],
        }

    return around


def _through(parts: Parts) -> datetime | None:
    try:
        return parts.evaluated_through()
    except TocsinError:  # the page that says so has a frame too
        return None


def _is_for_people(request: Request) -> bool:
    path = request.url.path
    is_document = path.startswith(_DOCUMENTS) or path.endswith(_FILES)
    return "text/html" in request.headers.get("accept", "") and not is_document


def _problem(frame: Mapping[str, Any], title: str, error: str, status: int) -> Response:
    page = render("problem.html.j2", {"doc": {"title": title, "error": error}, "frame": frame})
    return HTMLResponse(page, status_code=status)

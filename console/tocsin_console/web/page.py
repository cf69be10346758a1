"""A page is a document that is read, a template that shows it, and the same document as ``.json`` and ``.csv``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tocsin_console.api.wire import Json
from tocsin_console.web.news import News
from tocsin_console.web.sheet import sheet
from tocsin_console.web.templates import render, render_part

Document: TypeAlias = Mapping[str, Any]
Frame: TypeAlias = Callable[[Request], Mapping[str, Any]]

PART: Final = "x-tocsin-part"  # header by which our script asks for the inside of a page alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page and its twins.

    Args:
        path: As routes have it; the twins are the same with ``.json`` and ``.csv`` behind.
        section: The entry of the navigation that it belongs to.
        template: Under ``templates/``; it is given ``doc``.
        read: Makes the document; a :class:`~tocsin_wire.TocsinError` becomes a page that says so.
        rows: What of the document is the table: the CSV.
        twin: The path of the twins where it is not the page's own.
    """

    path: str
    section: str
    template: str
    read: Callable[[Request], Document]
    rows: Callable[[Document], Sequence[Mapping[str, Any]]]
    twin: str = field(default="")


def page_routes(page: Page, frame: Frame, news: News) -> list[Route]:
    """List the three routes of a page, its twins first: a use case's name may hold slashes and dots."""

    def as_html(request: Request) -> Response:
        shown = {
            "doc": news.kept(str(request.url), lambda: page.read(request)),
            "frame": {**frame(request), "section": page.section, "twins": _twins(page, request)},
        }
        if request.headers.get(PART):
            return HTMLResponse(render_part(page.template, shown), headers={"vary": PART})
        return HTMLResponse(render(page.template, shown), headers={"vary": PART})

    def as_json(request: Request) -> Response:
        return Json(page.read(request))

    def as_csv(request: Request) -> Response:
        name = page.twin.rpartition("/")[2] or page.section
        return Response(
            sheet(page.rows(page.read(request))),
            media_type="text/csv; charset=utf-8; header=present",
            headers={"content-disposition": f'attachment; filename="tocsin-{name}.csv"'},
        )

    twin = page.twin or page.path
    return [Route(f"{twin}.json", as_json), Route(f"{twin}.csv", as_csv), Route(page.path, as_html)]


def _twins(page: Page, request: Request) -> dict[str, str]:
    path = page.twin or request.url.path.rstrip("/")
    query = f"?{request.url.query}" if request.url.query else ""
    return {kind: f"{path}.{kind}{query}" for kind in ("json", "csv")}

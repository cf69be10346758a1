"""The week of all use cases, as its mail has it, in the frame and with links."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from starlette.requests import Request

from tocsin_console.api.answering import time_of
from tocsin_console.parts import Parts
from tocsin_console.report.desk import as_document
from tocsin_console.web.page import Document, Page

_WEEK = timedelta(days=7)


def report_pages(parts: Parts) -> list[Page]:
    """List the one page."""

    def read(request: Request) -> Document:
        asked = request.query_params.get("until", "").strip()
        week = parts.report.week(_end(asked) if asked else None)
        latest = parts.report.clock().astimezone(UTC)
        last = week.until - timedelta(microseconds=1)
        return {
            "week": as_document(week),
            "is_past": bool(asked) and week.until < latest,
            "asked": asked,
            "last_day": f"{last:%Y-%m-%d}",
            "before": f"{last - _WEEK:%Y-%m-%d}",
            "after": f"{last + _WEEK:%Y-%m-%d}" if week.until < latest else "",
        }

    def rows(document: Document) -> Sequence[Mapping[str, Any]]:
        return list(document["week"]["pages"])

    return [Page(path="/report", section="report", template="report.html.j2", read=read, rows=rows)]


def _end(text: str) -> datetime:
    """Read the day or the time at which a week ends; a day counts whole."""
    when = time_of(text)
    is_day = when.timetz() == time(tzinfo=UTC) and len(text) == len("2026-01-01")
    return when + timedelta(days=1) if is_day else when

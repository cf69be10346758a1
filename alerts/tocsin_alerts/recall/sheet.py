"""Writes the list as CSV that a spreadsheet opens without doing anything. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

COLUMNS: Final = (
    "probability_wrong",
    "known",
    "call_id",
    "handle",
    "business_key",
    "user",
    "session",
    "started_at",
    "model_version",
    "prompt_version",
    "answer",
    "confidence",
    "cost",
    "currency",
)
_ACTS: Final = frozenset("=+-@|%\t\r\n\uff1d\uff0b\uff0d\uff20")  # what spreadsheets take for a formula, full width too


def lines(calls: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write the head, then each call. Source: RFC 4180; OWASP, CSV Injection."""
    yield _line(COLUMNS)
    for call in calls:
        yield _line([harmless(call[name]) for name in COLUMNS])


def harmless(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would take for a formula; what is unknown is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    text = value.replace("\0", "")
    return f"'{text}" if text.lstrip()[:1] in _ACTS or text[:1] in _ACTS else text


def _line(cells: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()

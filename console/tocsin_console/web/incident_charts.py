"""Figures of an incident: quality by day as it was told, and what its first alert judged, slot by slot. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tocsin_alerts.charts.quality import chart_of
from tocsin_console.wire import plain

_LEAST: Final = 3  # slots; fewer are no line
_WORDS: Final = {"firing": "fires", "resolved": "over"}
_MOST_MARKS: Final = 6


def quality(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Draw the data of a message; None where there is too little of it."""
    chart = chart_of(data)
    if chart is None:
        return None
    return {
        "type": "series",
        "title": chart["title"],
        "format": ".1%",
        "rows": [{"at": row["day"], "value": row["value"], "by": row["by"]} for row in chart["rows"]],
        "lines": [{"value": chart["threshold"], "name": "threshold"}] if chart["threshold"] is not None else [],
        "marks": [{"at": chart["onset"], "name": "it began"}] if chart["onset"] else [],
    }


def value(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    unit: str,
    threshold: float | None,
    events: Iterable[Mapping[str, Any]],
) -> dict[str, Any] | None:
    """Draw what was judged, its reference beside it, and when it fired; None where there is too little.

    Args:
        title: Of the figure.
        rows: ``slot``, ``value``, ``lower``, ``upper``, ``baseline``; a value that is None is a gap.
        unit: Of the values.
        threshold: In the unit; None: there is no such line.
        events: Transitions: ``slot`` and ``to_state``.
    """
    if sum(row["value"] is not None for row in rows) < _LEAST:
        return None
    line = [
        {"at": plain(row["slot"]), "by": "value", **{name: row[name] for name in ("value", "lower", "upper")}}
        for row in rows
    ]
    if any(row["baseline"] is not None for row in rows):
        line += [
            {"at": plain(row["slot"]), "by": "reference", "value": row["baseline"], "lower": None, "upper": None}
            for row in rows
        ]
    first, last = _utc(rows[0]["slot"]), _utc(rows[-1]["slot"])
    marks = [
        {"at": plain(event["slot"]), "name": _WORDS[event["to_state"]]}
        for event in events
        if event["to_state"] in _WORDS and first <= _utc(event["slot"]) <= last
    ]
    return {
        "type": "series",
        "title": title,
        "format": ".1%" if unit == "share" else "~g",
        "rows": line,
        "lines": [{"value": threshold, "name": "threshold"}] if threshold is not None else [],
        "marks": marks[:_MOST_MARKS],
    }


def _utc(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)

"""What is drawn of an incident: its rule's own value or quality by day, the threshold, and when it began. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tocsin_alerts.charts.own import own_chart_of

_LEAST_DAYS: Final = 3  # fewer are no trend
LABELS, ESTIMATE = "by labels", "estimated without labels"


def chart_of(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Say what is drawn of a message's data, in JSON values: its rule's own value, else quality; None where there is too little.

    Args:
        data: As ``Message.data`` holds it.

    Returns:
        ``title``, ``alt`` (the same in words), ``rows`` of ``day`` (or an instant), ``value`` (None: a gap) and ``by``, ``threshold``,
        ``onset``; ``format`` and ``axis``, of values and times as d3 writes them.
    """
    return own_chart_of(data) or _quality(data)


def _quality(data: Mapping[str, Any]) -> dict[str, Any] | None:
    days = data.get("days") or []
    rows = [*_line(days, "estimated", ESTIMATE), *_line(days, "labelled", LABELS)]
    known = sorted({row["day"] for row in rows if row["value"] is not None})
    if len(known) < _LEAST_DAYS:
        return None
    lead = data.get("lead") or {}
    is_share = lead.get("unit") == "share" and str(lead.get("evaluator", "")) in ("accuracy", "estimated_accuracy")
    onset = str(data.get("onset") or "")[:10]
    last = [row for row in rows if row["day"] == known[-1] and row["value"] is not None][-1]
    return {
        "title": f"Accuracy of {data.get('use_case', '')} by day",
        "alt": f"Accuracy by day from {known[0]} to {known[-1]}, {100 * last['value']:.1f} % at the end {last['by']}",
        "rows": rows,
        "threshold": lead.get("threshold") if is_share else None,
        "onset": onset if known[0] < onset <= known[-1] else None,
        "format": ".0%",
        "axis": "%-d %b",
    }


def _line(days: Sequence[Mapping[str, Any]], key: str, by: str) -> list[dict[str, Any]]:
    """Give one line from its first to its last known day; a day between that is not known stays a gap."""
    known = [number for number, each in enumerate(days) if each[key] is not None]
    shown = days[known[0] : known[-1] + 1] if known else []
    return [{"day": each["slot"][:10], "value": each[key], "by": by} for each in shown]

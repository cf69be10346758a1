"""What is drawn of a rule whose value is not quality: that value by its own slots, its threshold, and when it began. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from tocsin_alerts.filters import amount
from tocsin_alerts.plain import one_line, without_links, without_mentions

_LEAST_SLOTS: Final = 3  # fewer are no trend
_CHARS: Final = 60
_NAMING: Final = ("field", "segment_name", "segment_value", "currency", "statistic", "model_version")
_FORMATS: Final = {"share": ".1~%", "PSI": ".2f"}


def own_chart_of(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Say what is drawn of a message's ``course``, as :func:`~tocsin_alerts.charts.quality.chart_of` does; None where there is too little."""
    course = data.get("course") or {}
    points = course.get("points") or []
    known = [point for point in points if point["value"] is not None]
    if len(known) < _LEAST_SLOTS:
        return None
    rule, unit, labels = str(course["rule"]), _shown(course["unit"]), course["labels"]
    of = ", ".join(_shown(labels[name]) for name in _NAMING if labels.get(name))
    first, last = known[0]["slot"], known[-1]["slot"]
    threshold = course["threshold"]
    held = "" if threshold is None else f", threshold {amount(threshold, unit)}"
    is_daily = all(point["slot"][11:16] == "00:00" for point in points)
    length = 10 if is_daily else 16
    return {
        "title": f"{rule} of {_shown(data.get('use_case', ''))}{f': {of}' if of else ''}{'' if unit in {'', 'share', of} else f' ({unit})'}",
        "alt": f"{rule} from {first[:length]} to {last[:length]}, {amount(known[-1]['value'], unit)} at the end{held}",
        "rows": [{"day": point["slot"], "value": point["value"], "by": rule} for point in points],
        "threshold": threshold,
        "onset": course["since"] if first < course["since"] <= last else None,
        "format": _FORMATS.get(unit, ",.3~r"),
        "axis": "%-d %b" if is_daily else "%-d %b %H:%M",
    }


def _shown(said: object) -> str:
    """Give what others said as people are shown it: chats and mail programs read what a picture shows."""
    return without_mentions(without_links(one_line(str(said), limit=_CHARS)))

"""Filters of the message templates. None prints as "unknown": it never looks like a measurement."""

import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Final

from tocsin_alerts.message import Measure
from tocsin_alerts.prometheus_filters import PROMETHEUS

_BARS: Final = "▁▂▃▄▅▆▇█"
_TO: Final = "\u2013"  # en dash
_UNKNOWN: Final = "unknown"
_WIDTH: Final = 76
_PARTS: Final = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_LINKS: Final = ("https://", "http://", "mailto:")


def pct(share: float | None, digits: int = 1) -> str:
    """0.8834 → ``88.3 %``."""
    return _UNKNOWN if share is None or not isfinite(share) else f"{100 * share:.{_few(digits)}f} %"


def fixed(number: float | None, digits: int = 2) -> str:
    """0.4123 → ``0.41``."""
    return _UNKNOWN if number is None or not isfinite(number) else f"{number:.{_few(digits)}f}"


def money(amount: float | None, currency: str = "", digits: int = 2) -> str:
    """1234.5 → ``1,234.50 EUR``."""
    return _UNKNOWN if amount is None or not isfinite(amount) else f"{amount:,.{_few(digits)}f} {currency}".rstrip()


def usd(amount: float | None, digits: int = 2) -> str:
    """1234.5 → ``$1,234.50``."""
    if amount is None or not isfinite(amount):
        return _UNKNOWN
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{_few(digits)}f}"


def delta(now: float | None, before: float | None, unit: str = "share") -> str:
    """Say how far a figure moved: shares in points, others in their unit, always signed."""
    if now is None or before is None or not isfinite(now - before):
        return _UNKNOWN
    moved = now - before
    if unit == "share":
        return f"{100 * moved:+.1f} points"
    return f"{moved:+,.2f} {unit}".rstrip()


def duration(span: float | timedelta | None) -> str:
    """93,784 s → ``1 day 2 h``: the two largest parts."""
    if span is None:
        return _UNKNOWN
    rest = int(span.total_seconds() if isinstance(span, timedelta) else span)
    sign, rest = ("-", -rest) if rest < 0 else ("", rest)
    parts = []
    for name, size in _PARTS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}{'s' if name == 'day' and count > 1 else ''}")
    return sign + " ".join(parts[:2]) if parts else "0 s"


def quantity(number: float | None) -> str:
    """2034 → ``2,034``; 1,234,567 → ``1.23 million``; 0.0312 → ``0.031``."""
    if number is None or not isfinite(number):
        return _UNKNOWN
    size = abs(number)
    for name, unit in (("billion", 1e9), ("million", 1e6)):
        if size >= unit:
            return f"{number / unit:.3g} {name}"
    if size >= 100 or number == int(number):
        return f"{number:,.0f}"
    return f"{number:.2f}" if size >= 1 else f"{number:.2g}"


def amount(value: float | None, unit: str) -> str:
    """Print a value in the unit of its evaluator: a share as per cent, seconds as a duration, money as money."""
    if value is None or not isfinite(value):
        return _UNKNOWN
    if unit == "share":
        return pct(value)
    if unit in {"s", "seconds"}:
        return duration(value)
    if len(unit) == 3 and unit.isupper() and unit != "PSI":
        return money(value, unit)
    return f"{quantity(value)} {unit}".rstrip()


def interval(measure: Measure, unit: str = "share") -> str:
    """Print the 95 % interval of a measure: ``86.8`` to ``89.6 %``, with a dash between."""
    if measure.lower is None or measure.upper is None:
        return _UNKNOWN
    if unit == "share":
        return f"{100 * measure.lower:.1f}{_TO}{100 * measure.upper:.1f} %"
    return f"{amount(measure.lower, unit)} to {amount(measure.upper, unit)}"


def spark(values: Iterable[float | None]) -> str:
    """Draw one bar a value, lowest to highest; a value that is not known is a dot."""
    series = list(values)[-_WIDTH:]
    series = [value if value is not None and isfinite(value) else None for value in series]
    known = [value for value in series if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    step = (high - low) / (len(_BARS) - 1) or 1.0
    top = _BARS[-1] if high == low else None
    return "".join("·" if v is None else top or _BARS[round((v - low) / step)] for v in series)


def day(when: datetime | None, *, time: bool = False) -> str:
    """Print a day as ``Tue 14 Apr 2026``, with ``time`` also as ``00:00 UTC``."""
    if when is None:
        return _UNKNOWN
    utc = when.astimezone(UTC)
    return f"{utc:%a} {utc.day} {utc:%b %Y}" + (f" {utc:%H:%M} UTC" if time else "")


def fill(text: object, indent: int = 0, first: int | None = None, width: int = _WIDTH) -> str:
    """Wrap text to a width; every line after the first, and the first unless told, is indented."""
    cells = max(20, min(width, 200))
    hang = max(0, min(indent, cells - 10))
    start = hang if first is None else max(0, min(first, cells - 10))
    wrapped = textwrap.wrap(
        str(text),
        cells,
        initial_indent=" " * start,
        subsequent_indent=" " * hang,
        break_on_hyphens=False,
        break_long_words=not href(str(text)),  # an address that goes on in the next line leads nowhere
    )
    return "\n".join(wrapped)


def row(text: object, label: str = "", margin: int = 13, width: int = _WIDTH) -> str:
    """Print text beside its label, wrapped under itself: ``Owner        the vision team``."""
    edge = max(1, min(margin, 40))
    return (clip(label, edge - 1).ljust(edge) + fill(text, edge, edge, width)[edge:]).rstrip()


def clip(text: object, width: int = 40) -> str:
    """Cut text to a width, with an ellipsis."""
    line = str(text)
    return line if len(line) <= width else line[: max(width, 1) - 1].rstrip() + "…"


def pad(text: object, width: int = 12) -> str:
    """Fill text with spaces to a width, cutting what is longer."""
    cells = max(1, min(width, 200))
    return clip(text, cells).ljust(cells)


def href(link: str) -> str:
    """Return a link that a mail may carry: http, https or mailto; anything else is no link."""
    return link if link.lower().startswith(_LINKS) else ""


def _few(digits: int) -> int:
    return max(0, min(int(digits), 9))


FILTERS: Final = {
    f.__name__: f
    for f in (
        pct,
        fixed,
        money,
        usd,
        delta,
        duration,
        quantity,
        amount,
        interval,
        spark,
        day,
        fill,
        row,
        clip,
        pad,
        href,
    )
} | PROMETHEUS

"""The templates of pages: everything is escaped, nothing may be missing, and unknown is never printed as a number."""

import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from tocsin_alerts.filters import FILTERS
from tocsin_alerts.plain import one_line
from tocsin_console.web import links
from tocsin_console.web.markdown import as_html
from tocsin_console.web.pictures import bars
from tocsin_console.web.shown import brief, cash, prose
from tocsin_console.web.static import static_link

_FROM_ALERTS = ("pct", "fixed", "money", "delta", "duration", "quantity", "amount", "clip")
_WIDTH, _HEIGHT, _MARGIN = 120, 28, 2


def render(name: str, shown: Mapping[str, Any]) -> str:
    """Write a whole page."""
    return _environment().get_template(name).render(shown)


def render_part(name: str, shown: Mapping[str, Any]) -> str:
    """Write the inside of a page: its block ``main``, in a frame of nothing, so that what the page imports is there."""
    return _environment(is_bare=True).get_template(name).render(shown)


def line(text: Any, limit: int = 80) -> str:
    """Print a text that others gave as one line that cannot turn the page around; an empty one says so."""
    return one_line(str(text), limit=limit) or "(empty)"


def argument(text: Any) -> str:
    """Print a name as a command takes it, whatever it holds."""
    return shlex.quote(one_line(str(text)))


def millis(taken_ms: float | None) -> str:
    """Print how long something took: ``0.74 ms``, ``67 ms``, ``1.4 s``."""
    if taken_ms is None:
        return "unknown"
    if taken_ms >= 999.5:
        return f"{taken_ms / 1000:.1f} s"
    return f"{taken_ms:.0f} ms" if taken_ms >= 10 else f"{taken_ms:.2g} ms"


def moment(when: datetime | None) -> Markup:
    """Print an instant in UTC; the script adds the reader's own time."""
    if when is None:
        return Markup('<span class="unknown">never</span>')
    utc = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        utc.isoformat(timespec="seconds").replace("+00:00", "Z"), f"{utc:%Y-%m-%d %H:%M}"
    )


def said(text: Any, limit: int = 200) -> str:
    """Print a text that others gave as :func:`line` does; an empty one is nothing."""
    return one_line(str(text), limit=limit)


def sparkline(values: Iterable[float | None], label: str = "", least: float = 0.0) -> Markup:
    """Draw a small line; what is not known is a gap in it.

    Args:
        values: One after the other.
        label: What it shows, for who does not see it.
        least: The height stands for at least so much, so that a quiet line looks quiet.
    """
    series = list(values)
    known = [value for value in series if value is not None]
    if len(known) < 2:
        return Markup('<span class="unknown">no line yet</span>')
    low, high = min(known), max(known)
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    step_x = (_WIDTH - 2 * _MARGIN) / (len(series) - 1)
    scale = (_HEIGHT - 2 * _MARGIN) / ((high - low) or 1.0)
    middle = _HEIGHT / 2 if high == low else None
    pieces, pen = [], "M"
    for place, value in enumerate(series):
        if value is None:
            pen = "M"
            continue
        y = middle if middle is not None else _HEIGHT - _MARGIN - (value - low) * scale
        pieces.append(f"{pen}{_MARGIN + place * step_x:.1f} {y:.1f}")
        pen = "L"
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}"><path d="{}"/></svg>'
    ).format(_WIDTH, _HEIGHT, _WIDTH, _HEIGHT, label, " ".join(pieces))


@cache
def _environment(*, is_bare: bool = False) -> jinja2.Environment:
    files = jinja2.PackageLoader("tocsin_console", "web/templates")
    bare = jinja2.DictLoader({"_frame.html.j2": "{% block main %}{% endblock %}"})
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader([bare, files]) if is_bare else files,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {name: FILTERS[name] for name in _FROM_ALERTS}
    made.filters |= {
        "moment": moment,
        "sparkline": sparkline,
        "line": line,
        "said": said,
        "brief": brief,
        "cash": cash,
        "prose": prose,
        "bars": bars,
        "markdown": as_html,
        "millis": millis,
        "argument": argument,
    }
    made.globals |= {
        "static": static_link,
        "use_case_link": links.use_case_link,
        "call_link": links.call_link,
        "incident_link": links.incident_link,
        "rule_link": links.rule_link,
        "runbook_link": links.runbook_link,
        "with_query": links.with_query,
    }
    return made

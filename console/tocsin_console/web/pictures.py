"""Small pictures in the page itself: they take its colours, and need nothing to be loaded. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from tocsin_alerts.plain import one_line

_HEIGHT: Final = 44
_STEP: Final = 16  # a bucket: two bars of 6 and a gap
_BAR: Final = 6


def bars(buckets: Sequence[Mapping[str, Any]], label: str = "") -> Markup:
    """Draw each bucket as two bars, then beside now; a bucket says what it is when it is pointed at.

    Args:
        buckets: ``name``, ``then`` and ``now``, shares.
        label: What it shows, for who does not see it.
    """
    if not buckets:
        return Markup('<span class="unknown">no picture</span>')
    most = max(*(max(each["then"], each["now"]) for each in buckets), 1e-9)
    drawn = Markup("").join(_pair(number, each, most) for number, each in enumerate(buckets))
    width = len(buckets) * _STEP
    return Markup(
        '<svg class="bars" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>'
    ).format(width, _HEIGHT, width, _HEIGHT, f"{label}: {_said(buckets)}", drawn)


def _pair(number: int, each: Mapping[str, Any], most: float) -> Markup:
    left = number * _STEP
    shapes = Markup("").join(
        Markup('<rect class="{}" x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>').format(
            kind, left + place, _HEIGHT - (tall := max(1.0, (_HEIGHT - 2) * each[kind] / most)), _BAR, tall
        )
        for kind, place in (("then", 1), ("now", 1 + _BAR))
    )
    said = f"{one_line(str(each['name']), limit=60)}: {each['then']:.1%} then, {each['now']:.1%} now"
    return Markup("<g><title>{}</title>{}</g>").format(said, shapes)


def _said(buckets: Sequence[Mapping[str, Any]]) -> str:
    """Name the bucket that changed most."""
    most = max(buckets, key=lambda each: abs(each["now"] - each["then"]))
    return f"{one_line(str(most['name']), limit=60)} changed most, from {most['then']:.1%} to {most['now']:.1%}"

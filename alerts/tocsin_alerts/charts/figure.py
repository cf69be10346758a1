"""Figures of pages as Vega-Lite, by Altair; imported by nothing but the process that draws."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import altair as alt

_LIGHT: Final = {"ink": "#1c1f24", "quiet": "#5b626d", "line": "#e1dfda", "accent": "#0b57b0", "second": "#8a8f98",
                 "wrong": "#b3261e", "shade": "#eeeae0"}  # fmt: skip
_DARK: Final = {"ink": "#e8e6e1", "quiet": "#a3abb7", "line": "#333943", "accent": "#8ab8f5", "second": "#8b93a0",
                "wrong": "#ff9a90", "shade": "#2a2e36"}  # fmt: skip
_MORE: Final = ("#2f8f6b", "#b7791f", "#8250df", "#c2547a", "#4c9fb8", "#7a7f3f")
_DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])  # colour is never the only signal
_SHAPES: Final = ("square", "circle", "triangle-up", "diamond")
_WIDTH, _HEIGHT = 760, 220
_LANES: Final = 5
_LETTER: Final = 6.2  # pixels of a letter of 11, on average
_MOST_POINTS: Final = 100  # of a line; more would be a band of dots


def figure(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Write the Vega-Lite specification of a figure, by its ``type``.

    - ``series``: ``rows`` of ``at`` (ISO), ``value`` (None: a gap), ``by``, perhaps ``lower`` and ``upper``; ``lines``
      (values, each with ``value`` and ``name``); ``marks`` (instants, each with ``at``, ``name`` and perhaps ``tone``, ``wrong`` or
      ``quiet``); ``shades`` (spans, each with ``since``, ``until``, ``name``);
    - ``bars``: ``rows`` of ``name``, ``value``, ``by``, side by side, in the order they come;
    - ``stack``: ``rows`` of ``at`` (a day), ``value``, ``by``;
    - ``spans``: ``rows`` of ``name``, ``since``, ``until``: a row of bars for each name, over ``domain`` (two instants);
    - ``points``: ``rows`` of ``x``, ``y``, ``n`` and perhaps ``by``; with ``diagonal`` the line of what would be exact.

    All have ``title`` and ``format`` (of d3, for values), and ``theme``, ``light`` or ``dark``.
    """
    colors = _DARK if asked.get("theme") == "dark" else _LIGHT
    made = {"series": _series, "bars": _bars, "stack": _stack, "spans": _spans, "points": _points}[asked["type"]](
        asked, colors
    )
    height = int(asked.get("height") or _HEIGHT)
    whole: dict[str, Any] = (
        made.properties(width=int(asked.get("width") or _WIDTH), height=height)
        .configure(background="transparent", aria=False, font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(labelColor=colors["quiet"], titleColor=colors["quiet"], gridColor=colors["line"],
                        domainColor=colors["line"], tickColor=colors["line"], labelFontSize=12, titleFontSize=12)
        .configure_legend(labelColor=colors["ink"], titleColor=colors["quiet"], labelFontSize=12, orient="top")
        .to_dict()
    )  # fmt: skip
    return whole


def _series(asked: Mapping[str, Any], colors: Mapping[str, str]) -> Any:
    names = list(dict.fromkeys(row["by"] for row in asked["rows"]))
    data = alt.Data(values=list(asked["rows"]))
    color = _color("by", names, colors, symbol="stroke")
    dash = alt.StrokeDash("by:N", title=None, scale=alt.Scale(domain=names, range=list(_DASHES)[: len(names)]))
    x = alt.X("at:T", title=None, scale=alt.Scale(type="utc"),
              axis=alt.Axis(format="%-d %b", labelOverlap=True, grid=False, tickCount=8))  # fmt: skip
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format=asked["format"], tickCount=5))
    layers = []
    if asked.get("shades"):
        spans = alt.Chart(alt.Data(values=list(asked["shades"])))
        layers.append(spans.mark_rect(color=colors["shade"]).encode(x="since:T", x2="until:T"))
        layers.append(_words(spans, "since", colors, low=True))
    if any(row.get("lower") is not None for row in asked["rows"]):
        band = alt.Chart(data).mark_area(opacity=0.15)
        layers.append(band.encode(x=x, y=alt.Y("lower:Q", title=None), y2="upper:Q", color=color))
    points = {"size": 14} if len({row["at"] for row in asked["rows"]}) <= _MOST_POINTS else False
    layers.append(alt.Chart(data).mark_line(strokeWidth=2, point=points).encode(x=x, y=y, color=color, strokeDash=dash))
    if asked.get("lines"):
        lines = alt.Chart(alt.Data(values=list(asked["lines"])))
        layers.append(lines.mark_rule(color=colors["wrong"], strokeDash=[5, 3]).encode(y="value:Q"))
        text = lines.mark_text(align="right", dx=-4, dy=-7, color=colors["wrong"], fontSize=12)
        layers.append(text.encode(x=alt.value("width"), y="value:Q", text="name:N"))
    for lane, tone, said in _lanes(asked):
        marks = alt.Chart(alt.Data(values=said))
        layers.append(marks.mark_rule(color=colors[tone], strokeDash=[2, 2]).encode(x="at:T"))
        layers.append(_words(marks, "at", colors, tone=tone, lane=lane))
    return alt.layer(*layers)


def _lanes(asked: Mapping[str, Any]) -> list[tuple[int, str, list[Mapping[str, Any]]]]:
    """Give marks by lane and tone: the words of each begin where those before it in its lane have ended, as far as lanes go."""
    marks = sorted(asked.get("marks") or (), key=lambda each: str(each["at"]))
    if not marks:
        return []
    moments = [_moment(row["at"]) for row in asked["rows"]]
    first, whole_s = min(moments), (max(moments) - min(moments)).total_seconds() or 1.0
    width = int(asked.get("width") or _WIDTH)
    ends = [0.0] * _LANES
    found: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for mark in marks:
        left = width * (_moment(mark["at"]) - first).total_seconds() / whole_s
        lane = next((number for number, end in enumerate(ends) if end <= left), ends.index(min(ends)))
        ends[lane] = left + _LETTER * (len(mark["name"]) + 2)
        found.setdefault((lane, str(mark.get("tone", "quiet"))), []).append(mark)
    return [(lane, tone, said) for (lane, tone), said in sorted(found.items(), key=lambda each: each[0])]


def _moment(said: str) -> datetime:
    """Read an instant or a day; without a zone it is UTC, as on the axis."""
    read = datetime.fromisoformat(said)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _words(
    chart: Any, at: str, colors: Mapping[str, str], *, tone: str = "quiet", lane: int = 0, low: bool = False
) -> Any:
    """Write names beside what they name: below one another at the top, or at the foot."""
    down = -6 if low else 2 + 14 * lane
    base: Any = "bottom" if low else "top"
    text = chart.mark_text(align="left", baseline=base, dx=4, dy=down, fontSize=11, color=colors[tone])
    return text.encode(x=f"{at}:T", y=alt.value("height" if low else 0), text="name:N")


def _bars(asked: Mapping[str, Any], colors: Mapping[str, str]) -> Any:
    names = list(dict.fromkeys(row["by"] for row in asked["rows"]))
    chart = alt.Chart(alt.Data(values=list(asked["rows"]))).mark_bar()
    return chart.encode(
        x=alt.X("name:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True, labelLimit=120)),
        xOffset=alt.XOffset("by:N", sort=names),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(format=asked["format"], tickCount=5)),
        color=_color("by", names, colors, bars=True),
    )


def _stack(asked: Mapping[str, Any], colors: Mapping[str, str]) -> Any:
    names = list(dict.fromkeys(row["by"] for row in asked["rows"]))
    chart = alt.Chart(alt.Data(values=list(asked["rows"]))).mark_bar()
    return chart.encode(
        x=alt.X("at:T", title=None, timeUnit="utcyearmonthdate", axis=alt.Axis(labelOverlap=True, grid=False)),
        y=alt.Y("value:Q", title=None, stack="zero", axis=alt.Axis(format=asked["format"], tickCount=5)),
        color=_color("by", names, colors),
        order=alt.Order("by:N"),
    )


def _spans(asked: Mapping[str, Any], colors: Mapping[str, str]) -> Any:
    names = list(dict.fromkeys(row["name"] for row in asked["rows"]))
    chart = alt.Chart(alt.Data(values=list(asked["rows"])))
    time = alt.Scale(type="utc", domain=list(asked["domain"]))
    x = alt.X("since:T", title=None, scale=time, axis=alt.Axis(labelOverlap=True))
    y = alt.Y("name:N", title=None, sort=names, axis=alt.Axis(labelLimit=360))
    bars = chart.mark_bar(color=colors["accent"], opacity=0.35, height=10).encode(x=x, x2="until:T", y=y)
    began = chart.mark_tick(color=colors["wrong"], thickness=3, height=14, width=3).encode(x=x, y=y)
    room = {
        "left": 60,
        "right": 5,
        "top": 5,
        "bottom": 5,
    }  # a browser's letters may be wider than those that were measured
    return alt.layer(bars, began).properties(padding=room)


def _points(asked: Mapping[str, Any], colors: Mapping[str, str]) -> Any:
    names = list(dict.fromkeys(str(row.get("by", "")) for row in asked["rows"]))
    chart = alt.Chart(alt.Data(values=[{"by": "", **row} for row in asked["rows"]]))
    axis = alt.Axis(format=asked["format"], tickCount=5)
    x, y = (
        alt.X("x:Q", title=asked.get("x_title"), axis=axis, scale=alt.Scale(zero=False)),
        alt.Y("y:Q", title=asked.get("y_title"), axis=axis, scale=alt.Scale(zero=False)),
    )
    size = alt.Size("n:Q", legend=None, scale=alt.Scale(range=[20, 300]))
    shape = alt.Shape("by:N", title=None, scale=alt.Scale(domain=names, range=list(_SHAPES)[: len(names)]))
    marks = chart.mark_point(filled=True, opacity=0.75)
    layers = [marks.encode(x=x, y=y, size=size, color=_color("by", names, colors, bars=len(names) > 1), shape=shape)]
    if len(names) == 1:
        layers = [chart.mark_circle(color=colors["accent"], opacity=0.8).encode(x=x, y=y, size=size)]
    if asked.get("diagonal"):
        low = min([row["x"] for row in asked["rows"]] + [row["y"] for row in asked["rows"]])
        exact = alt.Chart(alt.Data(values=[{"x": low, "y": low}, {"x": 1.0, "y": 1.0}]))
        layers.insert(
            0, exact.mark_line(color=colors["quiet"], strokeDash=[4, 3], strokeWidth=1).encode(x="x:Q", y="y:Q")
        )
    return alt.layer(*layers)


def _color(
    field: str, names: list[str], colors: Mapping[str, str], *, bars: bool = False, symbol: str = "circle"
) -> Any:
    known = [colors["second"], colors["accent"]] if bars else [colors["accent"], colors["second"]]
    scale = alt.Scale(domain=names, range=[*known, *_MORE][: max(len(names), 1)])
    legend = alt.Legend(symbolType=symbol, symbolOpacity=1, symbolStrokeWidth=2)
    return alt.Color(f"{field}:N", title=None, scale=scale, legend=legend if len(names) > 1 else None)

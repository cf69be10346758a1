"""A chart as Vega-Lite, by Altair; imported by nothing but the process that draws."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import altair as alt

from tocsin_alerts.charts.quality import ESTIMATE, LABELS

_COLORS: Final = {LABELS: "#1f6feb", ESTIMATE: "#8c959f"}
_WIDTH, _HEIGHT = 600, 180
_THRESHOLD, _ONSET = "#b42318", "#57606a"


def specification(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Write the Vega-Lite specification of a chart as :func:`~tocsin_alerts.charts.quality.chart_of` says it."""
    data = alt.Data(values=[{**row, "at": _millis(row["day"])} for row in chart["rows"]])
    names = {row["by"] for row in chart["rows"]}
    colors = _COLORS if names <= _COLORS.keys() else dict.fromkeys(names, _COLORS[LABELS])
    color = alt.Color(
        "by:N",
        title=None,
        scale=alt.Scale(domain=[*colors], range=[*colors.values()]),
        legend=alt.Legend(orient="bottom") if len(colors) > 1 else None,
    )
    x = alt.X("at:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format=chart["axis"], labelOverlap=True))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format=chart["format"]))
    layers: list[Any] = [alt.Chart(data).mark_line(point={"size": 12}).encode(x=x, y=y, color=color)]
    if chart["threshold"] is not None:
        at = alt.Chart(alt.Data(values=[{"value": chart["threshold"]}]))
        layers.append(at.mark_rule(color=_THRESHOLD, strokeDash=[5, 3]).encode(y="value:Q"))
    if chart["onset"] is not None:
        at = alt.Chart(alt.Data(values=[{"at": _millis(chart["onset"])}]))
        layers.append(at.mark_rule(color=_ONSET, strokeDash=[2, 2]).encode(x="at:T"))
    words = ["dashed red: threshold"] * (chart["threshold"] is not None) + ["dotted: began"] * bool(chart["onset"])
    title = alt.TitleParams(chart["title"], subtitle=", ".join(words) or [])
    made: dict[str, Any] = (
        alt.layer(*layers)
        .properties(width=_WIDTH, height=_HEIGHT, title=title)
        .configure(background="white", aria=False)
        .configure_title(anchor="start", fontSize=13)
        .to_dict()
    )
    return made


def _millis(said: str) -> int:
    at = datetime.fromisoformat(said)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)

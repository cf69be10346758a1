"""One picture of a replay: what was true, what tocsin said of it, and when it told somebody."""

from pathlib import Path
from typing import Any, Final

import pandas as pd

_TRUTH: Final = "true, 7 days"
_NAMES: Final = {
    "accuracy": "measured by tocsin from late labels",
    "estimated_accuracy": "estimated by tocsin without labels",
}
_COLOURS: Final = {_TRUTH: "#9a9a9a", _NAMES["accuracy"]: "#1f77b4", _NAMES["estimated_accuracy"]: "#e08a00"}
_SEVERITIES: Final = {"page": "#c62828", "ticket": "#8e8e8e"}
_WIDTH: Final = 760


def draw(daily: "pd.DataFrame", said: "pd.DataFrame", alerts: "pd.DataFrame", *, title: str, file: Path) -> None:
    """Write an SVG: accuracy over time with intervals, and below it every alert from its beginning to its end.

    Args:
        daily: ``date``, ``calls``, ``truth``.
        said: ``evaluator``, ``date``, ``value``, ``lower``, ``upper``.
        alerts: ``rule``, ``severity``, ``begun``, ``ended``.
        title: Above it.
        file: Where to.
    """
    import altair as alt

    days = alt.X("date:T", title=None, axis=alt.Axis(format="%b %Y", tickCount="month", labelOverlap=True))
    shares = alt.Y("value:Q", title="share of right answers", scale=alt.Scale(zero=False), axis=alt.Axis(format="%"))
    palette = alt.Scale(domain=[*_COLOURS], range=[*_COLOURS.values()])
    colours = alt.Color("what:N", title=None, scale=palette)
    lines = _lines(daily, said)
    quiet = alt.Color("what:N", scale=palette, legend=None)
    band = alt.Chart(lines).mark_area(opacity=0.2).encode(x=days, y=alt.Y("lower:Q"), y2="upper:Q", color=quiet)
    line = alt.Chart(lines).mark_line(strokeWidth=1.6).encode(x=days, y=shares, color=colours)
    pages = alerts[alerts["severity"] == "page"]
    rules = alt.Chart(pages).mark_rule(color=_SEVERITIES["page"], strokeDash=[3, 2]).encode(x="begun:T")
    severities = alt.Color(
        "severity:N", title=None, scale=alt.Scale(domain=[*_SEVERITIES], range=[*_SEVERITIES.values()])
    )
    bars = (
        alt.Chart(alerts)
        .mark_bar(height=7, minBandSize=2)
        .encode(x=alt.X("begun:T", title=None), x2="ended:T", y=alt.Y("rule:N", title=None, sort="x"), color=severities)
        .properties(width=_WIDTH, height=alt.Step(15))
    )
    top = (band + line + rules).properties(width=_WIDTH, height=260, title=title)
    chart = alt.vconcat(top, bars).resolve_scale(x="shared", color="independent").configure_view(strokeWidth=0)
    chart.save(str(file))


def _lines(daily: "pd.DataFrame", said: "pd.DataFrame") -> "pd.DataFrame":
    truth: Any = daily.assign(what=_TRUTH, value=daily["truth"].rolling(7).mean())
    told = said.assign(what=said["evaluator"].map(_NAMES))
    columns = ["date", "what", "value", "lower", "upper"]
    both = pd.concat([truth.reindex(columns=columns), told[columns]], ignore_index=True)
    both["date"] = pd.to_datetime(both["date"])
    return both.dropna(subset=["value"])


def spans(events: "pd.DataFrame", *, until: Any) -> "pd.DataFrame":
    """Pair every alert's beginning with its end; one that has not ended goes on until the last day.

    Args:
        events: ``rule``, ``field``, ``severity``, ``state`` (firing or resolved), ``date``, in order.
        until: The last day.
    """
    found: list[dict[str, Any]] = []
    open_: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events.to_dict("records"):
        key = (event["rule"], event["field"])
        if event["state"] == "firing":
            open_.setdefault(
                key,
                {
                    "rule": event["rule"],
                    "field": event["field"],
                    "severity": event["severity"],
                    "begun": event["date"],
                    "why": event["reason"],
                },
            )
        elif key in open_:
            found.append({**open_.pop(key), "ended": event["date"]})
    found += [{**one, "ended": until} for one in open_.values()]
    columns = ["rule", "field", "severity", "begun", "ended", "why"]
    paired = pd.DataFrame(found, columns=columns).sort_values(["begun", "rule", "field"])
    return paired.assign(begun=pd.to_datetime(paired["begun"]), ended=pd.to_datetime(paired["ended"]))

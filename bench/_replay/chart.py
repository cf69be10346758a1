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
_DAY: Final = pd.Timedelta(days=1)
_ROOM: Final = 28 * _DAY  # what the words beside a page take in a year's picture


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

    months = alt.Axis(format="%b %Y", tickCount="month", labelOverlap=True, grid=False)
    days = alt.X("date:T", title=None, axis=months)
    shares = alt.Y("value:Q", title="share of right answers", scale=alt.Scale(zero=False), axis=alt.Axis(format="%"))
    legend = alt.Legend(title=None, orient="top", labelLimit=_WIDTH, symbolOpacity=1)
    colours = alt.Color("what:N", scale=alt.Scale(domain=[*_COLOURS], range=[*_COLOURS.values()]), legend=legend)
    lines = _lines(daily, said)
    band = alt.Chart(lines).mark_area(opacity=0.2).encode(x=days, y=alt.Y("lower:Q"), y2="upper:Q", color=colours)
    line = alt.Chart(lines).mark_line(strokeWidth=1.6).encode(x=days, y=shares, color=colours)
    told = alt.Chart(incidents(alerts)).encode(x="begun:T")
    rule = told.mark_rule(color=_SEVERITIES["page"], strokeWidth=1.2)
    text = told.mark_text(color=_SEVERITIES["page"], align="left", dx=4, dy=8, y=0).encode(text="words:N")
    severities = alt.Color(
        "severity:N",
        scale=alt.Scale(domain=[*_SEVERITIES], range=[*_SEVERITIES.values()]),
        legend=alt.Legend(title=None, orient="bottom"),
    )
    begun = alt.X("begun:T", title=None, axis=months)
    visible = alerts.assign(ended=alerts["ended"].where(alerts["ended"] > alerts["begun"], alerts["begun"] + _DAY))
    bars = (
        alt.Chart(visible)
        .mark_bar(height=7)
        .encode(x=begun, x2="ended:T", y=alt.Y("rule:N", title=None, sort=_order(alerts)), color=severities)
        .properties(width=_WIDTH, height=alt.Step(15))
    )
    top = (band + line + rule + text).properties(width=_WIDTH, height=260, title=title)
    chart = alt.vconcat(top, bars).resolve_scale(x="shared", color="independent")
    chart.configure(background="white", aria=False).configure_view(strokeWidth=0).save(str(file))


def incidents(alerts: "pd.DataFrame") -> "pd.DataFrame":
    """Put page alerts that overlap together, as tocsin does: the first of them pages, the others are further evidence.

    Args:
        alerts: As :func:`draw` takes them.

    Returns:
        ``begun``, ``ended`` and ``words`` (none where the page before is too near), one row for each time that somebody was paged.
    """
    found: list[dict[str, Any]] = []
    for alert in alerts[alerts["severity"] == "page"].sort_values("begun").to_dict("records"):
        if found and alert["begun"] <= found[-1]["ended"]:
            found[-1]["ended"] = max(found[-1]["ended"], alert["ended"])
        else:
            is_crowded = bool(found) and alert["begun"] - found[-1]["begun"] < _ROOM
            words = "" if is_crowded else f"page, {alert['begun'].day} {alert['begun']:%b}"
            found.append({"begun": alert["begun"], "ended": alert["ended"], "words": words})
    return pd.DataFrame(found, columns=["begun", "ended", "words"])


def _order(alerts: "pd.DataFrame") -> list[str]:
    """List rules by severity, then by when they first fired."""
    return list(alerts.sort_values(["severity", "begun"])["rule"].drop_duplicates())


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

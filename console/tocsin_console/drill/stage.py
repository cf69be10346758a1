"""A database of a drill's own: made, filled and taken away again. The tables of calls are only read."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

from tocsin_alerts.drill.decay import Timeline
from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import migrate
from tocsin_wire.version import version

PROJECT: Final = "drill"
_MARK: Final = "_drill_"
_LEFT_OVER: Final = timedelta(days=1)


def sweep(store: Database, *, now: datetime) -> None:
    """Drop what killed processes left behind, calls and users in it: at once in a folder, which is this process's; on a server after a day."""
    for row in store.rows(sql("left_over"), {"beginning": store.address.database + _MARK}):
        made_at = datetime.strptime(row["name"].split(_MARK)[1][:12] + "+0000", "%Y%m%d%H%M%z")
        if store.address.is_embedded or now - made_at > _LEFT_OVER:
            store.command(f"DROP DATABASE IF EXISTS `{row['name']}`")


@contextmanager
def stage(store: Database, *, now: datetime) -> Iterator[Database]:
    """Open a migrated database beside the store's, with the drill's own tables, and drop it afterwards.

    On a cluster it is on the node that answers alone.
    """
    sweep(store, now=now)
    name = store.address.database
    made = f"{name}{_MARK}{now:%Y%m%d%H%M}_{secrets.token_hex(4)}"
    opened = Database.open(replace(store.address, database=made, cluster=""))
    try:
        migrate(opened, now=now, version=version())
        for each in sql("tables").split(";\n"):
            if each.strip():
                opened.command(each)
        yield opened
    finally:
        opened.command(f"DROP DATABASE IF EXISTS `{made}`")
        opened.close()


def write_days(stage: Database, timeline: Timeline) -> None:
    """Write down which own day each day repeats, and what is done to it; and the same days as a control, with nothing done."""
    rows = [{**asdict(day), "is_control": 0} for day in timeline.days]
    control = [
        {"at": day.at, "own": day.own, "tilt": 0.0, "scale": 1.0, "flip": 0.0, "is_control": 1} for day in timeline.days
    ]
    stage.insert("drill_days", [*rows, *control])


def write_reviews(stage: Database, use_case: str, drawn: Sequence[tuple[Mapping[str, Any], float, datetime]]) -> None:
    """Write scores as outcomes, with the draw that they come from."""
    outcomes, items = [], []
    for call, chance, at in drawn:
        common = {"project": PROJECT, "use_case": use_case, "call_id": f"{use_case}-{call['call_id']}"}
        facts = {
            name: call[name] for name in ("started_at", "model_version", "prompt_version", "confidence", "segments")
        }
        score = {
            "kind": "review",
            "source": "review",
            "outcome_id": f"r-{common['call_id']}",
            "correct": call["is_right"],
        }
        times = {"observed_at": at, "received_at": at, "ingested_at": at}
        label = {"predicted_label": call["output_label"], "served_by": "model", "weight": 1 / chance}
        outcomes.append({**common, **facts, **score, **times, **label})
        monday = call["started_at"].date() - timedelta(days=call["started_at"].weekday())
        drawn_item = {"week": monday, "draw": "drill", "started_at": call["started_at"], "state": "scored"}
        items.append({**common, **drawn_item, "selection_probability": chance})
    stage.insert("outcomes", outcomes)
    stage.insert("review_items", items)


@cache
def sql(name: str) -> str:
    """Give the text of ``drill/NAME.sql``."""
    return resources.files("tocsin_alerts").joinpath("drill", f"{name}.sql").read_text(encoding="utf-8")

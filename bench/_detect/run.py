"""One scenario at one size: draw the streams, fill the store, replay, and say what was told and when."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from _detect import rollups, store
from _detect.labels import label
from _detect.replay import Told, replay
from _detect.scenarios import DAY_S, Labels, Scenario
from _detect.world import REFERENCE_DAYS, Stream, Wander, simulate
from tocsin_alerts.durations import parse_duration
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Labels as PlanLabels
from tocsin_collector.store.database import Database

_QUIET_DAYS: Final = 7  # after the reference, before anything changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the streams of one scenario."""

    streams: tuple[Stream, ...]
    told: tuple[Told, ...]
    days: int


def draw_streams(
    scenario: Scenario,
    *,
    count: int,
    calls_per_day: int,
    seed: int,
    days: int | None = None,
    first: int = 0,
    wander: float = 1.0,
) -> list[Stream]:
    """Draw streams: every other one wanders with 0.5, the rest with 0.9; the change comes on any day of the week."""
    made = []
    for number in range(first, first + count):
        random = np.random.default_rng([seed, number, 1])
        quiet = _QUIET_DAYS + int(random.integers(7))
        onset_s = (REFERENCE_DAYS + quiet) * DAY_S + (int(random.integers(DAY_S)) if scenario.mid_day else 0)
        amplitude = Wander(phi=(0.5, 0.9)[number % 2])
        made.append(
            Stream(
                number=number,
                seed=seed,
                calls_per_day=calls_per_day,
                days=days or REFERENCE_DAYS + _QUIET_DAYS + 6 + scenario.days_after,
                wander=replace(amplitude, accuracy=amplitude.accuracy * wander, inputs=amplitude.inputs * wander),
                change=scenario.change,
                onset_s=onset_s,
            )
        )
    return made


def run(
    database: Database,
    scenario: Scenario,
    streams: list[Stream],
    *,
    strict: float = 0.0,
    note: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Run some streams of a scenario on a store that is emptied first."""
    store.empty(database)
    for done, stream in enumerate(streams):
        fill(database, stream, scenario.labels)
        note(f"stream {done + 1} of {len(streams)}")
    days = streams[0].days
    only_pages = scenario.unit == "pages/year"
    plans = _plans(scenario, streams)
    told = tuple(replay(database, plans, days=days, only_pages=only_pages, strict=strict, note=note))
    return Outcome(streams=tuple(streams), told=told, days=days)


def fill(database: Database, stream: Stream, labels: Labels) -> None:
    """Write everything that the store would hold of a stream."""
    random = np.random.default_rng([stream.seed, stream.number, 2])
    parts: dict[str, list[NDArray[np.void]]] = {"simulated_cells": [], "simulated_hours": [], "simulated_outcomes": []}
    for rows in simulate(stream):
        parts["simulated_cells"].append(rollups.cells(rows, stream.number))
        parts["simulated_hours"].append(rollups.hours(rows, stream.number))
        said = label(rows, stream, labels, random)
        parts["simulated_outcomes"] += said.outcomes
        database.insert("review_items", said.items)
    for table, found in parts.items():
        store.write(database, table, found)


def _plans(scenario: Scenario, streams: list[Stream]) -> Plans:
    late = scenario.labels.all_after_days
    delay = None if late is None else parse_duration(f"{late}d")
    return Plans.of(
        *(
            Plan(project=store.PROJECT, use_case=f"stream-{stream.number}", labels=PlanLabels(delay=delay))
            for stream in streams
        )
    )

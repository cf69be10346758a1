"""The bars of every use case whose plan has a floor, found anew from what was reviewed."""

import hashlib
import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from tocsin_alerts.guard_bar import Bar, Cell, find_bar
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.ports import Query

_VERSION = ("project", "use_case", "model_version", "prompt_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionBar:
    """The bar of one version that answers calls."""

    project: str
    use_case: str
    model_version: str
    prompt_version: str
    floor: float
    bar: Bar


class GuardBars:
    """Keeps the latest bars in memory: they follow from the outcomes, so a restart finds them again.

    Each change is also a row of ``evaluations``, since people ask later why calls were verified that day.
    """

    def __init__(self, query: Query, plans: Plans) -> None:
        self._query = query
        self._plans = plans
        self._lock = threading.Lock()
        self._bars: tuple[VersionBar, ...] = ()

    def refresh(self, now: datetime) -> bool:
        """Find all bars anew; says whether one has changed.

        Raises:
            Exception: the store failed; the bars stay as they were.
        """
        floors = {key: floor for plan in self._plans if (floor := floor_of(plan)) is not None for key in [_key(plan)]}
        if not floors:
            return False
        rows = self._query.rows(_statement(), {"now": now})
        found = []
        for version, of_version in itertools.groupby(rows, key=_version):
            floor = floors.get((version[0], version[1]))
            if floor is not None:
                bar = find_bar([_cell(row) for row in of_version], floor)
                found.append(VersionBar(**dict(zip(_VERSION, version, strict=True)), floor=floor, bar=bar))
        changed = [each for each in found if each not in self._bars]
        if changed:
            self._query.insert("evaluations", [_sample(each, now) for each in changed])
        with self._lock:
            before, self._bars = self._bars, tuple(found)
        return before != self._bars

    def all(self) -> Sequence[VersionBar]:
        """List the bars of the versions that answer now."""
        return self._bars


def floor_of(plan: Plan) -> float | None:
    """Give the share of right answers that a plan asks for; None where it asks for none, or for another measure."""
    return plan.quality.floor if plan.quality.measure in (None, "accuracy") else None


def _key(plan: Plan) -> tuple[str, str]:
    return plan.project, plan.use_case


def _version(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in _VERSION)


def _cell(row: Mapping[str, Any]) -> Cell:
    return Cell(
        lowest=row["lowest"],
        labels=int(row["labels"]),
        weight=row["weight"],
        squares=row["squares"],
        hits=float(row["hits"]),
    )


def _sample(version: VersionBar, now: datetime) -> dict[str, Any]:
    return {
        "project": version.project,
        "use_case": version.use_case,
        "evaluator": "guard_bar",
        "labels": {"model_version": version.model_version, "prompt_version": version.prompt_version},
        "slot": now,
        "value": version.bar.bar,
        "lower": version.bar.low_bar,
        "upper": None,
        "baseline": version.floor,
        "n": version.bar.labels,
        "evaluator_hash": hashlib.sha256(_statement().encode()).hexdigest()[:16],
        "evaluated_at": now,
    }


@cache
def _statement() -> str:
    return resources.files("tocsin_alerts").joinpath("bars", "reviewed.sql").read_text(encoding="utf-8")

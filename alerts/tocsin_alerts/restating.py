"""Labels that come late: what they change of samples already stored is written beside them, and never moves an alert.

An evaluator of labels is asked again for the daily slots of the last four weeks when outcomes of earlier calls have come
since. What differs is stored as ``restated``: charts read the latest sample of a slot, the journal still has the first.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any, Final, TypeAlias

from tocsin_alerts.jobs import DAY, Evaluate, Job
from tocsin_alerts.ports import Query
from tocsin_alerts.records import Sample

Restated: TypeAlias = tuple[str, str, Sample]  # the evaluator's name and hash, and what it says now
Key: TypeAlias = tuple[object, ...]

REACH: Final = timedelta(days=28)  # of slots that are told anew
_WINDOWS: Final = timedelta(days=120)  # how far before a slot an evaluator's calls may lie
_FIGURES: Final = ("value", "lower", "upper", "baseline", "n", "effect")


@dataclass(slots=True)
class Restater:
    """Finds what late labels have changed; remembers how far it has looked, and looks at all of the reach after a restart."""

    query: Query
    jobs: Sequence[Job]
    evaluate: Evaluate
    _looked_to: datetime = field(default=datetime.fromtimestamp(0, UTC))

    def find(self, *, last: datetime) -> list[Restated]:
        """Give the samples of slots before ``last`` that are not any more what was stored.

        Raises:
            Exception: the store or an evaluator failed. Ask again: nothing is passed over.
        """
        if not any(reads_labels(job) for job in self.jobs):
            return []
        since = last - REACH
        [late] = self.query.rows(_sql("late"), {"since": since - _WINDOWS, "until": last, "after": self._looked_to})
        if not late["outcomes"]:
            return []
        since = max(since, _day(late["first_call"]))
        found: dict[Key, list[Restated]] = {}
        for job in self.jobs:
            if job.shares_with not in found and reads_labels(job):
                found[job.shares_with] = self._changed(job, since, last)
        self._looked_to = late["newest"].replace(tzinfo=UTC)
        return [each for changed in found.values() for each in changed]

    def _changed(self, job: Job, since: datetime, last: datetime) -> list[Restated]:
        params = {"evaluator": job.source.name, "hash": job.source_hash, "since": since, "until": last}
        told = {_key(row["labels"], row): row for row in self.query.rows(_sql("told"), params)}
        done = {
            row["slot"].replace(tzinfo=UTC) for row in self.query.rows(_sql("told_slots"), {**params, "rule": job.name})
        }
        if not done:
            return []
        samples = self.evaluate(
            self.query,
            job.source,
            since=since,
            until=last - DAY,
            step_s=int(DAY.total_seconds()),
            extra=dict(job.params),
        )
        return [
            (job.source.name, job.source_hash, sample)
            for sample in samples
            if sample.slot.astimezone(UTC) in done and _differs(sample, told.get(_key(sample.labels, _place(sample))))
        ]


def reads_labels(job: Job) -> bool:
    """Say whether a job's samples can change when labels come: it is daily, and its SQL reads outcomes."""
    return job.schedule.every == DAY and "FROM outcomes" in str(getattr(job.source, "sql", ""))


def _day(when: datetime) -> datetime:
    return when.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)


def _place(sample: Sample) -> Mapping[str, Any]:
    return {"project": sample.project, "use_case": sample.use_case, "slot": sample.slot}


def _key(labels: Mapping[str, str], row: Mapping[str, Any]) -> Key:
    slot = row["slot"]
    at = slot.astimezone(UTC) if slot.tzinfo else slot.replace(tzinfo=UTC)
    return (row["project"], row["use_case"], tuple(sorted(labels.items())), at)


def _differs(sample: Sample, told: Mapping[str, Any] | None) -> bool:
    return told is None or any(not _same(getattr(sample, name), told[name]) for name in _FIGURES)


def _same(now: float | None, then: float | None) -> bool:
    """Compare up to the order of summation, which is not the same each time."""
    if now is None or then is None:
        return now is then
    return math.isclose(now, then, rel_tol=1e-9, abs_tol=1e-12)


def _sql(name: str) -> str:
    return resources.files("tocsin_alerts").joinpath("journal", f"{name}.sql").read_text(encoding="utf-8")

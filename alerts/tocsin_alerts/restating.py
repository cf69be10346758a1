"""Labels that come late: what they change of samples already stored is written beside them, and never moves an alert.

An evaluator of labels is asked again for the daily slots of the last four weeks when outcomes of earlier calls have come
since. What differs is stored as ``restated``: charts read the latest sample of a slot, the journal still has the first.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from tocsin_alerts.jobs import DAY, Evaluate, Job, can_say
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.ports import Query
from tocsin_alerts.records import Sample

Restated: TypeAlias = tuple[str, str, Sample]  # the evaluator's name and hash, and what it says now
Key: TypeAlias = tuple[object, ...]

REACH: Final = timedelta(days=28)  # of slots that are told anew
_WINDOWS: Final = timedelta(days=120)  # how far before a slot an evaluator's calls may lie
_FIGURES: Final = ("value", "lower", "upper", "baseline", "n", "effect")


@dataclass(slots=True)
class Told:
    """What one evaluator has said."""

    samples: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    slots: set[datetime] = field(default_factory=set)  # done, with samples or without


@dataclass(slots=True)
class Restater:
    """Finds what late labels have changed; remembers how far it has looked, and looks at all of the reach after a restart."""

    query: Query
    jobs: Sequence[Job]
    evaluate: Evaluate
    _looked_to: datetime = field(default=datetime.fromtimestamp(0, UTC))

    def find(self, *, last: datetime, kinds: frozenset[str] | None = None) -> list[Restated]:
        """Give the samples of slots before ``last`` that are not any more what was stored.

        Args:
            last: The newest slot.
            kinds: Of outcome, that there are; None: unknown.

        Raises:
            Exception: the store or an evaluator failed. Ask again: nothing is passed over.
        """
        if not any(reads_labels(job) for job in self.jobs):
            return []
        since = last - REACH
        [late] = self.query.rows(
            statement("late"), {"since": since - _WINDOWS, "until": last, "after": self._looked_to}
        )
        if not late["outcomes"]:
            return []
        since = max(since, _day(late["first_call"]))
        asked: dict[Key, Job] = {}
        for job in self.jobs:
            if reads_labels(job) and can_say(job.source, kinds):
                asked.setdefault(job.shares_with, job)
        told = self._told(list(asked.values()), since, last)
        found = [each for job in asked.values() for each in self._changed(job, told[_source(job)], since, last)]
        self._looked_to = late["newest"].replace(tzinfo=UTC)
        return found

    def _told(self, jobs: Sequence[Job], since: datetime, last: datetime) -> Mapping[Key, Told]:
        """Read what was told of the slots between, and which slots were done, of all jobs at once: two plans, not two each."""
        until = {"since": since, "until": last}
        found = {_source(job): Told() for job in jobs}
        for row in self.query.rows(statement("told"), {**until, "evaluators": [job.source.name for job in jobs]}):
            if (told := found.get((row["evaluator"], row["evaluator_hash"]))) is not None:
                told.samples[_key(row["labels"], row)] = row
                told.slots.add(row["slot"].replace(tzinfo=UTC))
        by_rule = {job.name: found[_source(job)] for job in jobs}
        for row in self.query.rows(statement("done_slots"), {**until, "rules": list(by_rule)}):
            by_rule[row["rule"]].slots.add(row["slot"].replace(tzinfo=UTC))
        return found

    def _changed(self, job: Job, told: Told, since: datetime, last: datetime) -> list[Restated]:
        if not told.slots:
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
            if sample.slot.astimezone(UTC) in told.slots
            and _differs(sample, told.samples.get(_key(sample.labels, _place(sample))))
        ]


def reads_labels(job: Job) -> bool:
    """Say whether a job's samples can change when labels come: it is daily, and its SQL reads outcomes."""
    return job.schedule.every == DAY and "FROM outcomes" in str(getattr(job.source, "sql", ""))


def _day(when: datetime) -> datetime:
    return when.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)


def _source(job: Job) -> Key:
    return (job.source.name, job.source_hash)


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

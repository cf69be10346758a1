"""What has to be evaluated: rules, and evaluators that are only recorded; and one range query for all that share it."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any, Final, Protocol

from tocsin_alerts.ports import Query
from tocsin_alerts.records import Sample
from tocsin_alerts.rule import Rule, SampleSource, sample_hash
from tocsin_alerts.rules import RANGE_PARAMS, RuleBook
from tocsin_alerts.slots import Schedule

RECORD_PREFIX: Final = "record:"  # the run of an evaluator that no rule reads
DAY: Final = timedelta(days=1)


class Evaluate(Protocol):
    """Runs one evaluator over a range of slots, for every use case at once."""

    def __call__(
        self,
        query: Query,
        evaluator: Any,
        *,
        since: datetime,
        until: datetime,
        step_s: int,
        extra: Mapping[str, Any],
    ) -> Sequence[Sample]:
        """Give the samples of the slots s with since < s <= until."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One thing with a schedule and an evaluator."""

    name: str
    source: SampleSource
    schedule: Schedule
    params: Mapping[str, Any] = field(default_factory=dict)
    rule: Rule | None = None

    @property
    def hash(self) -> str:
        """Hash of the rule, or of the evaluator alone."""
        return self.rule.hash if self.rule else self.source.hash

    @property
    def source_hash(self) -> str:
        """Hash of the evaluator with the rule's parameters: samples under other parameters are others."""
        return sample_hash(self.source, self.params)

    @property
    def shares_with(self) -> tuple[object, ...]:
        """Jobs for which this is equal are answered by one query."""
        return (self.source.name, self.source_hash, self.schedule.every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a job's evaluator gave, or why it gave nothing."""

    by_slot: Mapping[datetime, Sequence[Sample]] = field(default_factory=dict)
    duration_ms: float = 0.0
    error: str = ""
    asked: bool = True
    rows_read: int | None = None  # from tables; None: the store does not say


def list_jobs(book: RuleBook, evaluators: Mapping[str, SampleSource], *, keep_offset: bool) -> list[Job]:
    """List the rules as jobs, then, once a day, the evaluators that no rule reads.

    Args:
        book: The rules.
        evaluators: By name; those that need parameters of their own are left to rules.
        keep_offset: False on the data's clock, where nothing is under way once the watermark has passed.
    """
    jobs = [
        Job(name=rule.name, source=rule.source, schedule=rule.schedule, params=rule.params, rule=rule) for rule in book
    ]
    if not keep_offset:  # the data's clock says nothing of this process
        jobs = [job for job in jobs if not is_of_now(job.source)]
    read = {job.source.name for job in jobs}
    jobs += [
        Job(name=RECORD_PREFIX + name, source=source, schedule=Schedule(every=DAY, offset=timedelta(minutes=5)))
        for name, source in evaluators.items()
        if name not in read and RANGE_PARAMS.issuperset(source.params) and not is_of_now(source)
    ]
    if keep_offset:
        return jobs
    return [replace(job, schedule=replace(job.schedule, offset=timedelta(0))) for job in jobs]


def answer(
    queries: Sequence[Query],
    due: Mapping[str, Sequence[datetime]],
    jobs: Sequence[Job],
    evaluate: Evaluate,
    *,
    kinds: frozenset[str] | None = None,
    timer: Callable[[], float] = time.perf_counter,
) -> dict[str, Answer]:
    """Run each evaluator once over all the slots that its jobs have due, as many at a time as there are clients.

    An evaluator that fails fails its own jobs and no others. One that speaks only of kinds of outcome that nobody has sent
    is not asked: planning an empty answer takes as long as planning a full one.

    Args:
        queries: Clients of the store.
        due: The slots of each job, by its name.
        jobs: All of them.
        evaluate: Runs one evaluator.
        kinds: Of outcome, that there are; None: unknown.
        timer: Seconds.
    """
    shared: dict[tuple[object, ...], list[Job]] = {}
    for job in jobs:
        if due.get(job.name) and can_say(job.source, kinds):
            shared.setdefault(job.shares_with, []).append(job)
    free: SimpleQueue[Query] = SimpleQueue()
    for query in queries:
        free.put(query)

    def ask(group: Sequence[Job]) -> Answer:
        job = group[0]
        every = job.schedule.every
        slots = sorted({slot for each in group for slot in due[each.name]})
        query = free.get()
        begun, read = timer(), rows_read_by(query)
        try:
            samples = evaluate(
                query,
                job.source,
                since=slots[0] - every,
                until=slots[-1],
                step_s=int(every.total_seconds()),
                extra=dict(job.params),
            )
            now_read = rows_read_by(query)
            rows_read = None if now_read is None or read is None else now_read - read
            return Answer(by_slot=_by_slot(samples), duration_ms=(timer() - begun) * 1e3, rows_read=rows_read)
        except Exception as error:  # noqa: BLE001 - a boundary: whatever an evaluator does harms its own rules alone
            return Answer(duration_ms=(timer() - begun) * 1e3, error=f"{type(error).__name__}: {error}"[:2000])
        finally:
            free.put(query)

    with ThreadPoolExecutor(len(queries), thread_name_prefix="tocsin-evaluator") as pool:
        made = pool.map(ask, shared.values())
        said = {job.name: answer for group, answer in zip(shared.values(), made, strict=True) for job in group}
    return {job.name: said.get(job.name, Answer(asked=False)) for job in jobs if due.get(job.name)}


def rows_read_by(query: Query) -> int | None:
    """Say how many rows a client has read so far, where it counts them."""
    found = getattr(query, "rows_read", None)
    return found if isinstance(found, int) else None


def is_of_now(source: SampleSource) -> bool:
    """Whether an evaluator speaks of tocsin itself, at the time of day."""
    return bool(getattr(source, "is_of_now", False))


def can_say(source: SampleSource, kinds: frozenset[str] | None) -> bool:
    """Tell whether an evaluator may have a row, where there are these kinds of outcome."""
    needed: frozenset[str] = getattr(source, "outcomes", frozenset())
    return kinds is None or not needed or not needed.isdisjoint(kinds)


def _by_slot(samples: Sequence[Sample]) -> dict[datetime, list[Sample]]:
    found: dict[datetime, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.slot.astimezone(UTC), []).append(sample)
    return found

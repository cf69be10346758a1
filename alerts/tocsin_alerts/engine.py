"""The engine: at each tick it evaluates what is due, steps the alerts, journals, and tells guard and delivery.

One thread ticks. A tick in which nothing is due costs no query. A tick that fails half-way leaves the journal such that
the next one, in this process or after a restart, comes to the same ids.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from tocsin_alerts import evaluator
from tocsin_alerts.board import Board
from tocsin_alerts.bookkeeping import runs_of, runs_of_days, samples_of
from tocsin_alerts.budget import strictness
from tocsin_alerts.due import cut, days_of, due_slots
from tocsin_alerts.failures import Failures
from tocsin_alerts.hindsight import until
from tocsin_alerts.itself import STUCK
from tocsin_alerts.jobs import DAY, Answer, Evaluate, answer, can_say, list_jobs
from tocsin_alerts.journal import Journal, Memory, Run
from tocsin_alerts.overlays import overlay_of
from tocsin_alerts.plan import Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.provisional import Provisional
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.restating import Restated, Restater
from tocsin_alerts.rule import SampleSource
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.sinks import EventSink, Tidings, tell
from tocsin_alerts.slots import Schedule
from tocsin_alerts.spreading import spread
from tocsin_alerts.status import UseCaseStatus, judge
from tocsin_alerts.stepping import is_newest, step

ClockMode: TypeAlias = Literal["wall", "data"]
REFERENCES: Final = "references"  # the run of whatever keeps the references
RESTATING: Final = "restating"  # the run of whatever late labels change

_log = logging.getLogger(__name__)
_PUT_BACK: Final = timedelta(minutes=10)  # a clock that is corrected by less is waited for
_DAYS: Final = Schedule(every=DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """What one tick did."""

    slots: tuple[datetime, ...] = ()
    samples: int = 0
    events: tuple[AlertEvent, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)  # rule -> why; tried again
    has_more: bool = False  # slots are left: tick again at once
    advanced: bool = False  # something was evaluated that had not been, and evaluation is not stuck as a whole


class Engine:
    """Rules over evaluators, from slot to slot.

    Args:
        query: The store.
        book: The rules in force.
        evaluators: By name; those that no rule reads are recorded once a day.
        plans: Of the use cases.
        epoch: The evaluator that writes; higher than that of any before it.
        clock_mode: ``data``: now is the watermark, offsets are ignored, every slot is live.
        handlers: Sinks, in the order in which they hear of each slot: guard, then delivery.
        maintain: Called with each whole day before anything of it is evaluated: freezes references.
        evaluate: Runs one evaluator over a range of slots.
        readers: Further clients of the store; each lets one more evaluator run at the same time.
        spread_over: By the wall's clock, how long what wakes nobody may wait after its slot.
    """

    def __init__(
        self,
        query: Query,
        book: RuleBook,
        evaluators: Mapping[str, SampleSource],
        plans: Plans,
        *,
        epoch: int,
        clock_mode: ClockMode,
        handlers: Sequence[EventSink],
        maintain: Callable[[datetime], object],
        evaluate: Evaluate = evaluator.evaluate,
        readers: Sequence[Query] = (),
        spread_over: timedelta = timedelta(0),
    ) -> None:
        self._queries = (query, *readers)
        self._book = book
        self._plans = plans
        self._journal = Journal(query, epoch)
        self._is_data_clock = clock_mode == "data"
        self._handlers = tuple(handlers)
        self._evaluate = evaluate
        self._maintain = maintain
        self._evaluators = evaluators
        self._strict = 0.0
        jobs = list_jobs(book, evaluators, keep_offset=not self._is_data_clock)
        self._jobs = jobs if self._is_data_clock else spread(jobs, most=spread_over)
        self._kept_day: datetime | None = None
        self._kinds: frozenset[str] = frozenset()
        self._restater = Restater(query, self._jobs, evaluate)
        self._failures = Failures()
        self._first_hour: datetime | None = None
        self._is_stale = True
        self._board = Board((), book=book, plans=plans)
        self._done_to: dict[str, datetime] = {}
        self._unsettled: tuple[AlertEvent, ...] = ()
        self._has_orphans = False
        self._has_begun = False
        self._restore()

    @property
    def has_begun(self) -> bool:
        """Whether it has taken over from the evaluator before."""
        return self._has_begun

    def tick(self, now: datetime, watermark: datetime) -> TickReport:
        """Take in every slot that is due.

        Args:
            now: The clock; on the data's clock it is the watermark.
            watermark: Data are complete to here.

        Raises:
            Superseded: another evaluator has taken over. Tick no more.
            Exception: the store or a sink failed. Tick again: nothing is lost, and nothing is decided twice.
        """
        if self._has_begun and self._is_put_back(now, self._done_to):
            self._journal, self._has_begun = replace(self._journal, epoch=self._journal.epoch + 1), False
        if not self._has_begun:
            self._begin(at=now)
        elif self._is_stale:
            self._restore()
        due, has_more = due_slots(
            [job for job in self._jobs if not self._failures.rests(job.name)],
            self._done_to,
            now=now,
            watermark=watermark,
            begins=self._history_begins if self._is_data_clock else None,
        )
        if not due and not self._unsettled and not self._has_orphans:
            return TickReport()
        self._journal.require_current()
        self._is_stale = True  # until everything below is stored
        failed: dict[str, str] = {}
        attempted = [*due, REFERENCES, RESTATING]
        due = self._keep_references(due, failed)
        self._tighten(due)
        kinds = self._outcome_kinds()
        answers = answer(self._queries, due, self._jobs, self._evaluate, kinds=kinds)
        failed.update({name: made.error for name, made in answers.items() if made.error})
        samples = samples_of(self._jobs, due, answers)
        self._journal.write_samples(samples, at=now)
        if restated := self._restated(due, failed, kinds):
            self._journal.write_samples(restated, at=now, is_restated=True)
        board = self._board.copy(provisional=Provisional(self._journal.origins()) if due else None)
        tidings = [Tidings(event.slot, [event], self._is_data_clock) for event in self._unsettled]
        for event in self._unsettled:
            board.apply(event)
        if self._has_orphans:
            tidings += [Tidings(event.slot, [event], True) for event in board.retire()]
        is_live = None if self._is_data_clock else lambda job, slot: is_newest(job, slot, now=now, watermark=watermark)
        decided_to = {event.rule: event.slot for event in self._unsettled if overlay_of(event.labels) != "error"}
        tidings += step(board, self._jobs, due, answers, is_live=is_live, decided_to=decided_to)
        blind = board.take_attempts(now, failed=failed, answered=answers.keys() - failed.keys())
        tidings += [Tidings(event.slot, [event], True) for event in blind]
        new = tidings[len(self._unsettled) :]
        self._journal.write_events([event for each in new for event in each.events], at=now)
        tell(tidings, self._handlers, board=board, book=self._book)
        self._journal.write_states(board.changed_since(self._board), at=now)
        self._journal.write_runs(self._runs(due, answers, failed, now=now), at=now)
        self._done_to.update({name: slots[-1] for name, slots in due.items() if name not in failed})
        self._board, self._unsettled, self._has_orphans, self._is_stale = board, (), False, False
        self._failures.note(attempted=attempted, failed=failed, now=now)
        return TickReport(
            slots=tuple(sorted({slot for slots in due.values() for slot in slots})),
            samples=len(samples),
            events=tuple(event for each in tidings for event in each.events),
            failed=failed,
            has_more=has_more,
            advanced=any(name not in failed for name in due) and not board.has_active(STUCK),
        )

    def evaluated_through(self, project: str = "", use_case: str = "") -> datetime | None:
        """Give the end of the last whole day that every daily rule has judged; None before the first.

        Evaluators run for all use cases at once, so it is the same for each.
        """
        del project, use_case
        daily = [job.name for job in self._jobs if job.rule and job.schedule.every == DAY]
        done = [self._done_to.get(name) for name in daily]
        known = [slot for slot in done if slot is not None]
        return min(known) if known and len(known) == len(done) else None

    def status(self, *, query: Query | None = None) -> list[UseCaseStatus]:
        """Say of each use case how it stands, and why.

        Args:
            query: A client of the caller's own, when it calls from another thread.
        """
        return judge(
            Journal(query, 0) if query else self._journal,
            series=list(self._board.series.values()),
            book=self._book,
            plans=self._plans,
            evaluated_through=self.evaluated_through(),
        )

    def read_again(self) -> None:
        """Take in what another engine has journalled: for one that never ticks."""
        self._restore()

    def _is_put_back(self, now: datetime, done_to: Mapping[str, datetime]) -> bool:
        return not self._is_data_clock and now < max(done_to.values(), default=now) - _PUT_BACK

    def _begin(self, *, at: datetime) -> None:
        """Take over from the evaluator before: what is not read here counts no more."""
        memory = self._journal.restore(sources=self._sources())
        if self._is_put_back(at, memory.done_to):
            _log.warning(
                "the clock was ahead, and it is %s: slots after it are evaluated when they come", at.isoformat()
            )
            memory = until(memory, at, self._jobs)
        self._remember(memory)
        self._journal.take_over(memory, at=at)
        self._has_begun = True

    def _restore(self) -> None:
        self._remember(self._journal.restore(sources=self._sources()))

    def _sources(self) -> dict[str, str]:
        return {rule.name: rule.source.name for rule in self._book}

    def _remember(self, memory: Memory) -> None:
        self._board = Board(memory.series, book=self._book, plans=self._plans)
        self._done_to = dict(memory.done_to)
        self._unsettled = memory.unsettled
        self._has_orphans = any(self._book.get(each.rule) is None for each in memory.series)
        self._is_stale = False

    def _history_begins(self) -> datetime | None:
        if self._first_hour is None:
            self._first_hour = self._journal.first_hour()
        return self._first_hour

    def _keep_references(self, due: dict[str, list[datetime]], failed: dict[str, str]) -> dict[str, list[datetime]]:
        for day in days_of(due):
            if day == self._kept_day:
                continue
            try:
                self._maintain(day)
                self._kept_day = day
            except Exception as error:  # noqa: BLE001 - a boundary: a day waits for its references, hours before it do not
                failed[REFERENCES] = f"{type(error).__name__}: {error}"[:2000]
                return cut(due, day - timedelta(microseconds=1))
        return due

    def _tighten(self, due: Mapping[str, Sequence[datetime]]) -> None:
        """Ask for as much evidence as the number of use cases calls for, before rules that do so are evaluated."""
        slots = [due[job.name][-1] for job in self._jobs if job.name in due and job.rule and job.rule.tightens]
        if not slots:
            return
        strict = strictness(self._book, self._plans, self._journal.streams(max(slots)))
        if strict != self._strict:
            self._strict, self._book = strict, self._book.tightened(strict)
            self._jobs = list_jobs(self._book, self._evaluators, keep_offset=not self._is_data_clock)
            self._restater.jobs = self._jobs

    def _outcome_kinds(self) -> frozenset[str]:
        """List the kinds of outcome that there are; asked for as long as an evaluator waits for one of them."""
        if any(not can_say(job.source, self._kinds) for job in self._jobs):
            self._kinds = self._journal.outcome_kinds()
        return self._kinds

    def _restated(
        self, due: Mapping[str, Sequence[datetime]], failed: dict[str, str], kinds: frozenset[str]
    ) -> list[Restated]:
        days = days_of(due)
        try:
            return self._restater.find(last=max(days), kinds=kinds) if days else []
        except Exception as error:  # noqa: BLE001 - a boundary: what was told stays as it is, and today's slots are not held up
            failed[RESTATING] = f"{type(error).__name__}: {error}"[:2000]
            return []

    def _runs(
        self,
        due: Mapping[str, Sequence[datetime]],
        answers: Mapping[str, Answer],
        failed: Mapping[str, str],
        *,
        now: datetime,
    ) -> list[Run]:
        runs = runs_of(self._jobs, due, answers, failed, on_record=lambda name: self._failures.is_on_record(name, now))
        days = days_of(due)
        for name in (REFERENCES, RESTATING):
            on_record = self._failures.is_on_record(name, now)
            runs += runs_of_days(name, days, failed.get(name), failed_on=_DAYS.floor(now), on_record=on_record)
        return runs

"""The shipped evaluators, rules, state machine and incidents over simulated history, on the data's clock.

These are the parts of :class:`tocsin_alerts.engine.Engine`, joined as it joins them, without the journal: what a year of
hourly slots of a hundred use cases would write there is read by nobody here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from _detect.store import START
from tocsin_alerts.board import Board
from tocsin_alerts.evaluator import evaluate, load_evaluators
from tocsin_alerts.jobs import Job, answer, list_jobs
from tocsin_alerts.plan import Plans
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.references import WINDOW, maintain
from tocsin_alerts.rules import load_rules
from tocsin_alerts.series import Batch
from tocsin_collector.store.database import Database

_DAY: Final = timedelta(days=1)
_AT_ONCE: Final = 28  # days of slots in one query


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What somebody was told: a page or a ticket that began to fire."""

    event: AlertEvent
    opened: bool  # it opened its incident

    @property
    def stream(self) -> int:
        """The stream's number."""
        return int(self.event.use_case.removeprefix("stream-"))

    @property
    def second(self) -> int:
        """When, since the start."""
        return int((self.event.slot - START).total_seconds())


def replay(
    database: Database,
    plans: Plans,
    *,
    days: int,
    only_pages: bool = False,
    strict: float = 0.0,
    note: Callable[[str], None] = lambda _: None,
) -> Iterator[Told]:
    """Freeze the references, then judge every slot after them, in the order of time.

    Args:
        database: Filled.
        plans: Of the streams.
        days: Of history, from its start.
        only_pages: Leave out the rules of tickets, whose hourly slots are half of a year's work.
        strict: Nats that rules ask for beyond their own, as where many use cases share the budget of false pages.
        note: Told of progress.

    Raises:
        RuntimeError: an evaluator failed, which would read as silence.
    """
    evaluators = load_evaluators()
    book = load_rules(evaluators=evaluators, query=database).tightened(strict)
    jobs = [
        job
        for job in list_jobs(book, evaluators, keep_offset=False)
        if job.rule and (job.rule.text.severity == "page" or not only_pages)
    ]
    board = Board((), book=book, plans=plans)
    database.insert("plans", plans.to_rows(now=START))
    known: set[str] = set()
    fit_until = WINDOW + max([timedelta(days=7), *(plan.label_delay for plan in plans)])
    for first in range(WINDOW.days, days, _AT_ONCE):
        last = min(first + _AT_ONCE, days)
        for day in range(first, last):
            at = timedelta(days=day)
            # References are due after the window, calibrations until labels are complete; between, nothing can have changed.
            if at in (WINDOW, fit_until + _DAY):
                maintain(database, slot=START + at)
        due = {job.name: _slots(job, START + timedelta(days=first), START + timedelta(days=last)) for job in jobs}
        answers = answer([database], due, jobs, evaluate)
        for name, made in answers.items():
            if made.error:
                raise RuntimeError(f"expected {name} to answer, got {made.error}")
        for slot in sorted({slot for slots in due.values() for slot in slots}):
            batches = [
                Batch(rule=job.rule, samples=answers[job.name].by_slot.get(slot, ()))
                for job in jobs
                if job.rule and job.name in due and slot in due[job.name]
            ]
            for event in board.take(slot, batches):
                if event.to_state == "firing" and event.from_state != "recovering" and event.severity != "log":
                    yield Told(event=event, opened=event.incident not in known)
                    known.add(event.incident)
        note(f"day {last} of {days}")


def _slots(job: Job, after: datetime, until: datetime) -> list[datetime]:
    """List the slots of a job: the first ones are the day at which references are frozen."""
    every = job.schedule.every
    return [after + every * step for step in range(1, (until - after) // every + 1)]

"""One tick's answers, taken in slot by slot over all rules. Pure, but for the board it works on."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from tocsin_alerts.board import Board
from tocsin_alerts.due import complete_to
from tocsin_alerts.jobs import Answer, Job
from tocsin_alerts.series import Batch
from tocsin_alerts.sinks import Tidings


def step(
    board: Board,
    jobs: Sequence[Job],
    due: Mapping[str, Sequence[datetime]],
    answers: Mapping[str, Answer],
    *,
    is_live: Callable[[Job, datetime], bool] | None,
    decided_to: Mapping[str, datetime],
) -> list[Tidings]:
    """Step slot by slot over all rules, so that the first to fire is first.

    Args:
        board: Stepped.
        jobs: All of them.
        due: The slots of each, by its name.
        answers: What their evaluators gave; those that failed are left out.
        is_live: Whether people hear of a slot at once; None: of all.
        decided_to: Up to which slot a rule's transitions were stored, and are applied to the board.
    """
    tidings: list[Tidings] = []
    answered = {job.name: job for job in jobs if job.name in answers and not answers[job.name].error}
    for slot in sorted({slot for name in answered for slot in due[name]}):
        at_slot = [job for job in answered.values() if job.rule and slot in due[job.name]]
        batches = [Batch(rule=job.rule, samples=answers[job.name].by_slot.get(slot, ())) for job in at_slot if job.rule]
        live = {job.name for job in at_slot if is_live is None or is_live(job, slot)}
        events = board.take(slot, batches, decided_to=decided_to)
        tidings.append(Tidings(slot, [event for event in events if event.rule not in live], False))
        tidings.append(Tidings(slot, [event for event in events if event.rule in live], True))
    return tidings


def is_newest(job: Job, slot: datetime, *, now: datetime, watermark: datetime) -> bool:
    """Whether a slot is the last that a job can have by now."""
    return slot == job.schedule.newest(now, complete_to(job, now, watermark))

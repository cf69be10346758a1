"""Which slots of which jobs are due. Pure, but for a question about where history begins."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from tocsin_alerts.jobs import DAY, Job, is_of_now
from tocsin_alerts.slots import Schedule

_MOST_SLOTS: Final = 1_000  # of one rule in one tick: 41 days of hours
_DAYS: Final = Schedule(every=DAY)


def due_slots(
    jobs: Iterable[Job],
    done_to: Mapping[str, datetime],
    *,
    now: datetime,
    watermark: datetime,
    begins: Callable[[], datetime | None] | None,
) -> tuple[dict[str, list[datetime]], bool]:
    """List the slots of one tick by job, and say whether more are left for the next.

    Args:
        jobs: Those that may be asked.
        done_to: The last slot that was done of each.
        now: The clock.
        watermark: Data are complete to here.
        begins: On the data's clock, where every slot of history is wanted: its first hour, None before there is one. Without
            it a job that was never done begins with its newest slot.
    """
    due: dict[str, list[datetime]] = {}
    for job in jobs:
        last = done_to.get(job.name)
        first = begins() if begins and last is None else None
        if begins and last is None and first is None:
            continue
        slots = job.schedule.due(done_to=last, now=now, watermark=complete_to(job, now, watermark), first=first)
        if slots:
            due[job.name] = slots[-1:] if is_of_now(job.source) else slots
    if all(len(slots) <= _MOST_SLOTS for slots in due.values()):
        return due, False
    if not begins:  # after so long a pause only the newest matter
        return {name: slots[-_MOST_SLOTS:] for name, slots in due.items()}, False
    return cut(due, min(slots[:_MOST_SLOTS][-1] for slots in due.values())), True


def cut(due: Mapping[str, Sequence[datetime]], horizon: datetime) -> dict[str, list[datetime]]:
    """Leave out slots after an instant, and jobs of which none is left."""
    left = {name: [slot for slot in slots if slot <= horizon] for name, slots in due.items()}
    return {name: slots for name, slots in left.items() if slots}


def days_of(due: Mapping[str, Sequence[datetime]]) -> list[datetime]:
    """List the midnights among some slots, in order."""
    return sorted({slot for slots in due.values() for slot in slots if _DAYS.floor(slot) == slot})


def complete_to(job: Job, now: datetime, watermark: datetime) -> datetime:
    """Say up to when there is everything that a job speaks of: what speaks of tocsin itself does not wait for data."""
    return now if is_of_now(job.source) else watermark

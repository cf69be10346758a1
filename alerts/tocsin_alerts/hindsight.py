"""What is known, as of an instant: where a clock was ahead, slots were judged that have yet to come. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tocsin_alerts.jobs import Job
from tocsin_alerts.journal import Memory
from tocsin_alerts.overlays import overlay_of
from tocsin_alerts.series import Series


def until(memory: Memory, now: datetime, jobs: Sequence[Job]) -> Memory:
    """Forget that slots after ``now`` were taken in; states stay as they were left, to be judged from the next slot on.

    Args:
        memory: As it was stored.
        now: The clock, which is right by now.
        jobs: For their grids.
    """
    newest = {job.name: job.schedule.floor(now) for job in jobs}
    return replace(
        memory,
        series=tuple(_until(each, _newest(each, newest, now)) for each in memory.series),
        done_to={name: min(slot, newest.get(name, now)) for name, slot in memory.done_to.items()},
        unsettled=tuple(event for event in memory.unsettled if event.slot <= now),
    )


def _newest(series: Series, newest: Mapping[str, datetime], now: datetime) -> datetime:
    return now if overlay_of(series.labels) == "error" else newest.get(series.rule, now)


def _until(series: Series, newest: datetime) -> Series:
    status = series.status
    if status.slot <= newest:
        return series
    status = replace(status, slot=newest, since=min(status.since, newest))
    return replace(series, status=status, seen=min(series.seen, newest))

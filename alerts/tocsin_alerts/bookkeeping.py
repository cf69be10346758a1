"""What a tick has to put on record, put together of what its evaluators answered. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from tocsin_alerts.jobs import Answer, Job
from tocsin_alerts.journal import Run
from tocsin_alerts.records import Sample


def samples_of(
    jobs: Sequence[Job], due: Mapping[str, Sequence[datetime]], answers: Mapping[str, Answer]
) -> list[tuple[str, str, Sample]]:
    """Gather the samples of due slots once, however many rules read them, with their evaluator's name and hash."""
    found: dict[tuple[object, ...], list[tuple[str, str, Sample]]] = {}
    for job in jobs:
        for slot in due.get(job.name, ()):
            samples = answers[job.name].by_slot.get(slot, ())
            found[(job.shares_with, slot)] = [(job.source.name, job.source_hash, sample) for sample in samples]
    return [each for samples in found.values() for each in samples]


def runs_of(
    jobs: Sequence[Job],
    due: Mapping[str, Sequence[datetime]],
    answers: Mapping[str, Answer],
    failed: Mapping[str, str],
    *,
    on_record: Callable[[str], bool],
) -> list[Run]:
    """List the slots that each job has done; of one that failed the first, unless that is on record already."""
    return [
        Run(
            rule=job.name,
            slot=slot,
            samples=len(answers[job.name].by_slot.get(slot, ())),
            rule_hash=job.hash,
            duration_ms=answers[job.name].duration_ms / len(due[job.name]),
            error=answers[job.name].error,
            asked=answers[job.name].asked,
            rows_read=_share(answers[job.name].rows_read, len(due[job.name])),
        )
        for job in jobs
        if job.name in due and not (job.name in failed and on_record(job.name))
        for slot in (due[job.name][:1] if job.name in failed else due[job.name])
    ]


def runs_of_days(
    name: str, days: Sequence[datetime], error: str | None, *, failed_on: datetime, on_record: bool
) -> list[Run]:
    """List the days that were done of what belongs to no rule; with an error, the day that was not, unless that is on record."""
    if error is not None:
        days = [] if on_record else [failed_on]
    return [Run(rule=name, slot=day, samples=0, rule_hash="", duration_ms=0, error=error or "") for day in days]


def _share(rows: int | None, slots: int) -> int | None:
    return None if rows is None else round(rows / slots)

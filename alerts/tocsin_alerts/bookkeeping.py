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
        )
        for job in jobs
        if job.name in due and not (job.name in failed and on_record(job.name))
        for slot in (due[job.name][:1] if job.name in failed else due[job.name])
    ]


def failed_run(name: str, error: str, *, slot: datetime) -> Run:
    """Put on record that what belongs to no rule has failed."""
    return Run(rule=name, slot=slot, samples=0, rule_hash="", duration_ms=0, error=error)

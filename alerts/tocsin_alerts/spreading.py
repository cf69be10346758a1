"""When each job's turn comes. What wakes nobody waits a little after its slot, each for its own while, so that midnight is no burst. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from tocsin_alerts.jobs import Job, is_of_now

_STEPS: Final = 8  # of the while: each step that has a job is a tick of its own


def spread(jobs: Sequence[Job], *, most: timedelta) -> list[Job]:
    """Give each job an offset by the hash of its evaluator: the same one at every start and on every machine.

    Jobs that one query answers keep together. Rules that page, and what shares a query with them, do not wait: their incidents are
    opened by the first to fire, and people wait for them.

    Args:
        jobs: All of them.
        most: The longest while, and at most a tenth of a job's interval.
    """
    prompt = {job.shares_with for job in jobs if job.rule is not None and job.rule.text.severity == "page"}
    return [job if job.shares_with in prompt or is_of_now(job.source) else _later(job, most) for job in jobs]


def _later(job: Job, most: timedelta) -> Job:
    every = job.schedule.every
    digest = hashlib.sha256(f"{job.source.name}\n{every.total_seconds()}".encode()).digest()
    while_ = min(most, every / 10) * (digest[0] % _STEPS) / _STEPS
    return replace(job, schedule=replace(job.schedule, offset=job.schedule.offset + while_))

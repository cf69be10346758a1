"""When a retraining is due. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from tocsin_alerts.durations import format_duration
from tocsin_alerts.plan import Plan

COOLDOWN: Final = timedelta(days=14)  # where the plan does not say
_DAY: Final = timedelta(days=1)
_MORE_IS_BETTER: Final = ("accuracy", "agreement", "precision", "recall", "score", "reviewed")

When = Literal["below", "above"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The condition of one plan, all of it answered."""

    metric: str  # an evaluator
    threshold: float
    when: When
    duration: timedelta
    cooldown: timedelta
    action: str
    owner: str

    @property
    def words(self) -> str:
        """Say it in one sentence."""
        return f"{self.metric} {self.when} {self.threshold:g} for {format_duration(self.duration)}"

    @property
    def slots(self) -> int:
        """How many daily slots in a row it takes."""
        return max(1, -(-self.duration // _DAY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One daily sample of one series."""

    slot: datetime
    value: float | None
    lower: float | None
    upper: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How long a series has been on the wrong side, up to a slot."""

    labels: Mapping[str, str]
    last: Point
    slots: int  # in a row
    is_due: bool  # for long enough, and at the last slot beyond doubt


def trigger_of(plan: Plan) -> Trigger | None:
    """Read the trigger of a plan; None while it is not answered."""
    said = plan.retraining
    if said.trigger.metric is None or said.trigger.threshold is None or not said.action:
        return None
    better_more = any(word in said.trigger.metric for word in _MORE_IS_BETTER)
    return Trigger(
        metric=said.trigger.metric,
        threshold=said.trigger.threshold,
        when=said.trigger.when or ("below" if better_more else "above"),
        duration=said.trigger.duration or _DAY,
        cooldown=said.cooldown or COOLDOWN,
        action=said.action,
        owner=said.owner or plan.owner or "",
    )


def held(trigger: Trigger, labels: Mapping[str, str], points: Sequence[Point], *, slot: datetime) -> Held | None:
    """Count the daily slots in a row, back from one, at which a series was on the wrong side.

    A slot without a value breaks the row: what is unknown triggers nothing. At the last slot the whole interval must be on
    the wrong side, where there is one.

    Args:
        trigger: The condition.
        labels: The series'.
        points: Its samples, any order.
        slot: Midnight.
    """
    by_slot = {point.slot: point for point in points}
    last = by_slot.get(slot)
    if last is None:
        return None
    row = 0
    while (point := by_slot.get(slot - row * _DAY)) is not None and _is_wrong(trigger, point.value):
        row += 1
    doubt = last.upper if trigger.when == "below" else last.lower
    is_sure = row > 0 and (doubt is None or _is_wrong(trigger, doubt))
    return Held(labels=labels, last=last, slots=row, is_due=is_sure and row >= trigger.slots)


def rests_until(trigger: Trigger, fired: Sequence[datetime]) -> datetime | None:
    """Give the end of the cooldown, by the slots at which it fired."""
    return max(fired) + trigger.cooldown if fired else None


def run_id(project: str, use_case: str, slot: datetime) -> str:
    """Name a run: replayed, it is the same one."""
    return hashlib.sha256(f"retraining\0{project}\0{use_case}\0{slot.isoformat()}".encode()).hexdigest()[:32]


def _is_wrong(trigger: Trigger, value: float | None) -> bool:
    if value is None:
        return False
    return value < trigger.threshold if trigger.when == "below" else value > trigger.threshold

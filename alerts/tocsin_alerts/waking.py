"""Whether a page wakes somebody: outside the plan's hours only when enough would be wrong by morning, or nothing else helps. Pure.

What is not known wakes: no hours, no limit, no measured fall, no week of traffic to expect the night's from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tocsin_alerts import message
from tocsin_alerts.briefing import Findings, GuardNews
from tocsin_alerts.first_line import OF_QUALITY, little
from tocsin_alerts.incidents import Member
from tocsin_alerts.overlays import overlay_of
from tocsin_alerts.plan import Plan
from tocsin_alerts.quieting import Quiet
from tocsin_alerts.records import GuardState
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.weekly import holds, next_beginning

WEEK: Final = timedelta(days=7)
_OF_INPUTS: Final = frozenset({"null_rate", "type_change"})  # evaluators: what they see makes answers wrong
_HOLDING: Final[frozenset[GuardState]] = frozenset({"fallback", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What waiting until people work again is estimated to cost."""

    until: datetime  # when they do
    excess: float | None  # share of answers wrong beyond the reference; None: not measured
    calls: float | None  # expected until then; None: not known

    @property
    def wrong(self) -> float | None:
        """Answers wrong until then, beyond the reference."""
        return None if self.excess is None or self.calls is None else self.excess * self.calls


def morning(plan: Plan, now: datetime) -> datetime | None:
    """Say when people work again; None: they do now, or the plan does not say when."""
    if not plan.hours or holds(plan.hours, plan.zone, now):
        return None
    return next_beginning(plan.hours, plan.zone, now)


def excess_error(findings: Findings, members: Sequence[Member], rules: RuleBook) -> float | None:
    """Say how many answers more than in the reference are wrong, as a share; None: not measured.

    By labels where a rule of labels fires, otherwise by the estimate, which speaks of the last days. That accuracy is well measures
    nothing of calls that fail, of silence, of cost, of a rule that cannot be evaluated, nor of an input that went missing an hour ago.
    """
    found = [rules.get(member.fired.rule) for member in members]
    names = {rule.source.name if rule else "" for rule in found} | {
        "" for each in members if overlay_of(each.fired.labels)
    }
    rule = next((each for each in found if each), None)
    by_labels = rule is not None and rule.source.name.startswith("accuracy")
    measure = (findings.quality or findings.estimated) if by_labels else (findings.estimated or findings.quality)
    if measure is None or measure.value is None or measure.baseline is None:
        return None
    excess = max(0.0, measure.baseline - measure.value)
    speaking = OF_QUALITY | _OF_INPUTS if excess else OF_QUALITY
    return excess if names <= speaking else None


def has_failed(plan: Plan, guard: GuardNews, members: Iterable[Member], rules: RuleBook) -> bool:
    """Whether the guard should act by itself and does not: a trip that was held back, or nothing in force."""
    asked = any((rule := rules.get(member.fired.rule)) and rule.text.guard for member in members)
    is_held_back = guard.row is not None and not guard.row.applied
    return plan.guard.mode == "automatic" and asked and (is_held_back or guard.in_force == "normal")


def rests(plan: Plan, night: Night, *, guard: GuardNews, failed: bool) -> Quiet | None:
    """Say why a page need not wake anybody; None: it has to.

    Args:
        plan: With the limit.
        night: What it would cost.
        guard: What is in force.
        failed: Whether the guard should have acted and did not.
    """
    if guard.in_force in _HOLDING:
        return Quiet(why="ticket", detail=f"the guard holds {guard.in_force}")
    if failed or plan.wake_above is None or night.wrong is None or night.wrong > plan.wake_above:
        return None
    said = message.Night(until=night.until, wrong=night.wrong, worth_waking=plan.wake_above, wakes=False)
    return Quiet(why="waiting", detail=little(said), until=night.until, wrong=night.wrong)

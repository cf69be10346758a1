"""When the live rules would have paged: the shipped evaluators, conditions and machine, over the drill's calls."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.references import WINDOW, maintain
from tocsin_alerts.rehearsal import backtest
from tocsin_alerts.rule import Rule

_DAY: Final = timedelta(days=1)
_SELDOM: Final = timedelta(
    hours=6
)  # rules judged oftener look at traffic, gaps and errors, which a drill leaves as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a use case has by which a decay could be noticed."""

    confidence: bool
    labels: float  # share of calls whose truth comes
    label_delay: timedelta
    calibrated: bool
    reviews: int  # a week


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """When somebody would have been paged, with so many reviews a week."""

    reviews: int
    day: int | None  # 1 is the day on which it begins; None: not to the end
    rule: str
    slot: datetime | None
    without_it: tuple[str, ...]  # rules that fire without the decay too, so that they do not count


def watched(rules: Sequence[Rule], plan: Plan) -> list[Rule]:
    """List the page rules that a drill can show something of."""
    return [
        rule
        for rule in rules
        if rule.text.severity == "page"
        and rule.text.every >= _SELDOM
        and rule.text.group == "quality"
        and rule.applies_to(plan)
    ]


def freeze(query: Query, plan: Plan, *, since: datetime) -> None:
    """Freeze the drill's reference, and fit its calibration when labels are complete."""
    for after in (WINDOW, WINDOW + max(7 * _DAY, plan.label_delay) + _DAY):
        maintain(query, slot=since + after)


def notice(
    query: Query,
    rules: Sequence[Rule],
    plans: Sequence[tuple[Plan, int]],
    control: Plan,
    *,
    reference_until: datetime,
    onset: datetime,
    until: datetime,
    progress: Callable[[float], object] = lambda _share: None,
) -> list[Noticed]:
    """Run the rules over the drill, and say of each of its use cases when the first of them paged.

    Args:
        query: The drill's store, with its reference frozen.
        rules: Page rules.
        plans: Of the drill's use cases, each with its reviews a week.
        control: Of the same calls, to which nothing happens: what fires there says nothing of the decay.
        reference_until: Slots are judged after it.
        onset: Midnight of the day on which the decay begins.
        until: The end.
        progress: Told the share that is done.
    """
    named = Plans.of(control, *(plan for plan, _ in plans))
    first: dict[str, tuple[datetime, str]] = {}
    without_it: list[str] = []
    for done, rule in enumerate(rules):
        found = backtest(query, rule, named, since=reference_until, until=until).series
        if any(series.spans for series in found if series.use_case == control.use_case):
            without_it.append(rule.name)
        else:
            for series in found:
                for begun, _ in series.spans:
                    if begun > onset:
                        first[series.use_case] = min(first.get(series.use_case, (begun, rule.name)), (begun, rule.name))
        progress((done + 1) / len(rules))
    return [
        Noticed(
            reviews=reviews,
            day=math.ceil((at[0] - onset) / _DAY) if (at := first.get(plan.use_case)) else None,
            rule=at[1] if at else "",
            slot=at[0] if at else None,
            without_it=tuple(without_it),
        )
        for plan, reviews in plans
    ]


def in_words(noticed: Sequence[Noticed], habits: Habits, *, days: int) -> str:
    """Say it in one sentence: ``noticed on day 9; with 40 reviews a week, day 6``.

    Args:
        noticed: As it is, then with more reviews.
        habits: What there is to notice by.
        days: That were looked at, from the onset on.
    """
    as_is, *others = noticed
    if as_is.day is None:
        said = f"never noticed in {days} days"
        if lacking := _lacking(habits):
            said += f": {lacking}"
    else:
        said = f"noticed on day {as_is.day}"
    for each in others:
        when = (
            f"day {each.day}" if each.day is not None else f"not in {days} days either" if as_is.day is None else "not"
        )
        said += (
            f"; with {each.reviews} a week, {when}"
            if "reviews" in said
            else f"; with {each.reviews} reviews a week, {when}"
        )
    return said


def _lacking(habits: Habits) -> str:
    lacks = []
    if not habits.reviews:
        lacks.append("nobody reviews")
    if not habits.labels:
        lacks.append("no labels come")
    if not habits.confidence:
        lacks.append("its calls give no confidence")
    elif not habits.calibrated:
        lacks.append("its confidence is not calibrated")
    return ", ".join(lacks)


def described(noticed: Noticed) -> Mapping[str, Any]:
    """Write one as a document."""
    return {
        "reviews_a_week": noticed.reviews,
        "day": noticed.day,
        "rule": noticed.rule or None,
        "slot": noticed.slot,
        "fire_without_it": list(noticed.without_it),
    }

"""The budget of false pages: what the page rules spend of it over every use case that somebody is on call for.

The budget is the rotation's, not the stream's: people are woken by the sum. A stream is one use case of one project, and
pays for the page rules that apply to its plan. What nobody has measured is unknown, so a sum with it is a lower bound.

Rules whose condition names ``strict`` keep the sum within the budget by themselves: where the use cases together would spend k
times the budget, each asks for ln k nats of evidence more, and pages by chance a k-th as often. Source: Wald (1945), Sequential
Tests of Statistical Hypotheses: a threshold of h nats is crossed by chance with a probability of exp(-h) at most.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.rule import Rule

ROTATION_PER_YEAR: Final = 4.0  # one a quarter
STREAM_PER_YEAR: Final = 0.3

Holding: TypeAlias = Literal["within", "over", "unknown"]
Stream: TypeAlias = tuple[str, str]  # project and use case


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpend:
    """What one page rule spends."""

    rule: str
    path: str
    each: float | None  # false pages per stream and year, at the rule's own threshold; None: not measured
    streams: int  # to whose plans it applies
    share: float = 1.0  # of them that is left where its threshold is raised

    @property
    def per_year(self) -> float | None:
        """False pages a year over all of its streams."""
        return 0.0 if not self.streams else None if self.each is None else self.each * self.streams * self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpend:
    """What one stream spends."""

    project: str
    use_case: str
    per_year: float  # of the rules that are measured
    unmeasured: tuple[str, ...]

    @property
    def holds(self) -> Holding:
        """Whether it keeps to a stream's share."""
        return _holds(self.per_year, STREAM_PER_YEAR, self.unmeasured)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What an installation spends, rule by rule and stream by stream."""

    rules: tuple[RuleSpend, ...]  # the dearest first
    streams: tuple[StreamSpend, ...]  # the dearest first
    count: int  # streams that the sum is over: those listed, or as many as were asked about
    per_year: float
    loose_per_year: float  # if no threshold were raised
    strict: float  # nats by which rules that tighten raise theirs
    unmeasured: tuple[str, ...]

    @property
    def holds(self) -> Holding:
        """Whether the rotation's budget holds."""
        return _holds(self.per_year, ROTATION_PER_YEAR, self.unmeasured)

    @property
    def most_streams(self) -> int | None:
        """How many streams such as these the budget bears at the rules' own thresholds; None while nothing is measured or spent."""
        return int(ROTATION_PER_YEAR * self.count / self.loose_per_year + 1e-9) if self.loose_per_year else None

    def make_tickets(self) -> tuple[str, ...]:
        """Name the dearest rules that have to become tickets before the rest is within the budget."""
        left, named = self.per_year, []
        for each in self.rules:
            if left <= ROTATION_PER_YEAR + 1e-9:
                break
            if each.per_year:
                named.append(each.rule)
                left -= each.per_year
        return tuple(named)


def spend(book: Iterable[Rule], plans: Plans, streams: Sequence[Stream], *, count: int | None = None) -> Spend:
    """Add up what the page rules of a book spend.

    Args:
        book: The rules in force.
        plans: By which a rule applies to a stream or does not.
        streams: Those that have calls; without any, one that has no plan stands for all.
        count: Ask about as many streams as this, in the mix of those there are.
    """
    given = [plans.get(*stream) for stream in streams] or [Plan(use_case="any")]
    pages = [rule for rule in book if rule.text.severity == "page"]
    total = len(streams) if count is None else count
    scale = total / len(given)
    strict = _strictness(pages, given, scale)
    left = {rule.name: math.exp(-strict) if rule.tightens else 1.0 for rule in pages}
    rules = [
        RuleSpend(
            rule=rule.name,
            path=rule.path,
            each=rule.text.false_pages_per_year,
            streams=round(sum(rule.applies_to(plan) for plan in given) * scale),
            share=left[rule.name],
        )
        for rule in pages
    ]
    found = [_of_stream(pages, plan, left) for plan in given]
    return Spend(
        rules=tuple(sorted(rules, key=lambda each: (-(each.per_year or 0), each.each is not None, each.rule))),
        streams=tuple(sorted(found, key=lambda each: (-each.per_year, each.project, each.use_case))) if streams else (),
        count=total,
        per_year=sum(each.per_year for each in found) * scale,
        loose_per_year=sum(_of_stream(pages, plan, {}).per_year for plan in given) * scale,
        strict=strict,
        unmeasured=tuple(sorted({name for each in found for name in each.unmeasured})) if total else (),
    )


def strictness(book: Iterable[Rule], plans: Plans, streams: Sequence[Stream]) -> float:
    """Say by how many nats rules that tighten raise their thresholds, so that these use cases keep to the budget together.

    What rules spend that do not tighten is left out: a noisy rule of a team's own must not make the others deaf.
    """
    return _strictness(
        [rule for rule in book if rule.text.severity == "page"], [plans.get(*each) for each in streams], 1
    )


def _strictness(pages: Sequence[Rule], plans: Sequence[Plan], scale: float) -> float:
    each = [
        rule.text.false_pages_per_year or 0.0
        for plan in plans
        for rule in pages
        if rule.tightens and rule.applies_to(plan)
    ]
    return math.log(max(1.0, sum(each) * scale / ROTATION_PER_YEAR))


def _of_stream(pages: Sequence[Rule], plan: Plan, left: Mapping[str, float]) -> StreamSpend:
    mine = [rule for rule in pages if rule.applies_to(plan)]
    return StreamSpend(
        project=plan.project,
        use_case=plan.use_case,
        per_year=sum((rule.text.false_pages_per_year or 0.0) * left.get(rule.name, 1.0) for rule in mine),
        unmeasured=tuple(rule.name for rule in mine if rule.text.false_pages_per_year is None),
    )


def _holds(per_year: float, most: float, unmeasured: Sequence[str]) -> Holding:
    if per_year > most + 1e-9:
        return "over"
    return "unknown" if unmeasured else "within"

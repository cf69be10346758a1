"""One rule, checked against its evaluator: what it makes of a sample."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol

from tocsin_alerts.conditions import PLAN_NAMES, STRICT, Condition, Names, sample_names
from tocsin_alerts.machine import Observation, Timing
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import AlertState, Sample
from tocsin_alerts.rule_text import RuleText
from tocsin_alerts.slots import Schedule

_OF_REFERENCE: Final = frozenset({"baseline", "drop", "z", "effect"})
_REFERENCE_TABLES: Final = ("reference_profiles", "calibrations")


class SampleSource(Protocol):
    """What a rule needs to know of its evaluator."""

    @property
    def name(self) -> str:
        """Name under which its samples are stored."""
        ...

    @property
    def params(self) -> Mapping[str, str]:
        """Its parameters and their types, with since, until and step_s."""
        ...

    @property
    def columns(self) -> Mapping[str, str]:
        """Its columns and their types."""
        ...

    @property
    def hash(self) -> str:
        """Hash of its text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that has been checked against its evaluator: ready to judge samples."""

    text: RuleText
    source: SampleSource
    when: Condition
    clear: Condition | None
    hash: str  # of what it says and of its evaluator
    path: str
    strict: float = 0.0  # nats that its condition may add to what it asks for

    @property
    def name(self) -> str:
        """The rule's name, by which a user's folder overrides a shipped one."""
        return self.text.rule

    @property
    def params(self) -> Mapping[str, int | float | str]:
        """What its evaluator is given beyond the range."""
        given = {STRICT: self.strict} if STRICT in self.source.params else {}
        return {**self.text.params, **given}

    @property
    def tightens(self) -> bool:
        """Whether it asks for more the more use cases there are."""
        return STRICT in self.when.names

    @property
    def schedule(self) -> Schedule:
        """When it is evaluated."""
        return Schedule(every=self.text.every, offset=self.text.offset)

    def applies_to(self, plan: Plan) -> bool:
        """Whether the plan says what the rule needs, and not what makes it superfluous."""
        said = {name for name, value in plan_names(plan, {}).items() if value is not None}
        return said.issuperset(self.text.needs) and said.isdisjoint(self.text.without)

    def timing(self, plan: Plan) -> Timing:
        """Say how long its condition must hold for this use case."""
        every = self.text.every
        return Timing(
            every=every,
            hold=_span(self.text.hold, every, plan),
            keep=_span(self.text.keep_firing_for, every, plan),
        )

    def observe(self, sample: Sample | None, plan: Plan) -> Observation:
        """Judge one slot of one series; None is a series that the evaluator no longer speaks of."""
        if sample is None:
            return Observation(holds=None, clears=None, overlay="no_data")
        value = sample.value if sample.value is not None and math.isfinite(sample.value) else None
        if value is None or sample.n < self.text.min_n:
            overlay: Literal["no_data", "low_n"] = "low_n" if sample.n else "no_data"
            return Observation(holds=None, clears=None, overlay=overlay, value=value)
        if self.leans_on_reference and plan.leaves_out(*self.looks_at(sample.slot, plan)):
            return Observation(holds=None, clears=None, overlay="calendar", value=value)
        names = self._names(sample, plan)
        holds = self.when.holds(names)
        clears = self.clear.holds(names) if self.clear else None if holds is None else not holds
        return Observation(holds=holds, clears=clears, value=value)

    @property
    def leans_on_reference(self) -> bool:
        """Whether it compares with a reference, and not with what the plan says."""
        names = self.when.names
        if names & _OF_REFERENCE:
            return True
        sql = str(getattr(self.source, "sql", ""))
        return names.isdisjoint(PLAN_NAMES) and any(table in sql for table in _REFERENCE_TABLES)

    @property
    def window(self) -> timedelta:
        """How far back a slot looks: as its evaluator's header says, else to the slot before."""
        said = getattr(self.source, "window", None)
        return said if isinstance(said, timedelta) else self.text.every

    def looks_at(self, slot: datetime, plan: Plan) -> tuple[datetime, datetime]:
        """Say which time a slot speaks of, beginning and end: of labels it ends when they are usually complete."""
        until = slot - plan.label_delay if getattr(self.source, "lags_labels", False) else slot
        return until - self.window, until

    def explain(self, sample: Sample, plan: Plan) -> str:
        """Write its condition out with what a sample and the plan say in it."""
        return self.when.explain(self._names(sample, plan))

    def threshold(self, sample: Sample, plan: Plan) -> float | None:
        """Say which value the sample was held against; None when the condition compares something else."""
        return self.when.bound(sample_names(sample, plan_names(plan, sample.labels)))

    def excess(self, sample: Sample, plan: Plan) -> float:
        """Say how bad a sample is beside others of its rule: how far beyond the bound, or how large where there is none."""
        if sample.value is None:
            return 0.0
        bound = self.threshold(sample, plan)
        return abs(sample.value - bound) if bound is not None else abs(sample.value)

    def reason(self, sample: Sample | None, plan: Plan, to_state: AlertState) -> str:
        """Say in a few words why a slot moved the alert: ``upper 0.884 < floor 0.9``."""
        if sample is None:
            return "no data"
        names = self._names(sample, plan)
        if to_state in ("recovering", "resolved", "inactive"):
            if self.clear and to_state != "inactive":
                return self.clear.explain(names)
            return f"no longer {self.when.explain(names)}"
        if self.when.holds(names):
            return self.when.explain(names)
        return f"not yet {self.clear.explain(names)}" if self.clear else self.when.explain(names)

    def _names(self, sample: Sample, plan: Plan) -> Names:
        return sample_names(sample, {**plan_names(plan, sample.labels), STRICT: self.strict})


def sample_hash(source: SampleSource, params: Mapping[str, Any]) -> str:
    """Name an evaluator with the parameters that it is given: samples under other parameters are others."""
    if not params:
        return source.hash
    said = json.dumps([source.hash, dict(params)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def plan_names(plan: Plan, labels: Mapping[str, str]) -> Names:
    """Gather what a condition may name of a plan. A budget in another currency than the sample's is not known."""
    budget, currency = plan.budget.per_day, labels.get("currency")
    foreign = currency is not None and plan.budget.currency is not None and currency != plan.budget.currency
    return {
        "floor": plan.quality.floor,
        "budget_per_day": None if budget is None or foreign else float(budget),
    }


def _span(hold: int | timedelta | str, every: timedelta, plan: Plan) -> timedelta:
    if isinstance(hold, timedelta):
        return hold
    return hold * every if isinstance(hold, int) else plan.quality.tolerate or timedelta(0)

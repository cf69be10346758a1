"""The five questions of a use case, answered from data: what its plan says, and what has been seen to work. Pure.

A question is answered when the plan says it, and proven when the data show it. Neither follows from the other.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tocsin_alerts.plan import Plan
from tocsin_alerts.report.facts import Facts

LEAST: Final = 30  # outcomes behind a measure of quality
_CONFIDENT: Final = 0.9  # share of calls
_LASTS: Final = timedelta(days=90)  # a test of a channel or of the fallback, before it proves nothing any more
_QUIET: Final = timedelta(days=7)  # without a call
_MEASURES: Final = {
    "accuracy": "labels",
    "reviewed_accuracy": "reviews",
    "judge_accuracy": "a judge's verdicts",
    "regression_error": "labels",
}
_RATES: Final = ("review_per_hour", "support_per_hour", "incident_per_hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that has to be so before a question counts as answered, or as proven."""

    holds: bool
    says: str  # what was seen, with its number
    command: str = ""  # what would make it hold
    is_said: bool = False  # the plan says it; else the data show it


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One of the five questions."""

    question: str
    checks: tuple[Check, ...]

    @property
    def is_answered(self) -> bool:
        """Whether the plan says it."""
        return all(check.holds for check in self.checks if check.is_said)

    @property
    def is_proven(self) -> bool:
        """Whether the data show it."""
        return all(check.holds for check in self.checks if not check.is_said)

    @property
    def is_green(self) -> bool:
        """Whether it is both."""
        return self.is_answered and self.is_proven

    @property
    def evidence(self) -> str:
        """Say what is behind it: what is missing where something is, else what was seen."""
        wrong = [check.says for check in self.checks if not check.holds]
        return "; ".join(wrong or [check.says for check in self.checks])

    @property
    def command(self) -> str:
        """Give the one command that comes next; empty when it is green."""
        return next((check.command for check in self.checks if not check.holds), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The five answers of one use case."""

    project: str
    use_case: str
    answers: tuple[Answer, ...]

    @property
    def is_ready(self) -> bool:
        """Whether all of them are green."""
        return all(answer.is_green for answer in self.answers)


def readiness(facts: Facts, *, at: datetime, now: datetime) -> Readiness:
    """Answer the five questions.

    Args:
        facts: What is known of the use case.
        at: The time on the clock of its calls.
        now: The time of day, for what people did.
    """
    missing = [question.missing for question in facts.plan.questions()]
    asked: Sequence[tuple[str, Iterator[Check]]] = (
        ("How will you know it is wrong?", _know(facts, at, now)),
        ("What happens then?", _then(facts)),
        ("What triggers retraining?", _retraining(facts)),
        ("What is the fallback?", _fallback(facts, now)),
        ("What does it cost to run?", _cost(facts)),
    )
    answers = [
        Answer(question=text, checks=(_plan(facts, keys), *checks))
        for (text, checks), keys in zip(asked, missing, strict=True)
    ]
    return Readiness(project=facts.plan.project, use_case=facts.plan.use_case, answers=tuple(answers))


def document(found: Readiness) -> dict[str, Any]:
    """Write it as a document."""
    return {
        "project": found.project,
        "use_case": found.use_case,
        "is_ready": found.is_ready,
        "questions": [
            {
                "question": each.question,
                "is_green": each.is_green,
                "is_answered": each.is_answered,
                "is_proven": each.is_proven,
                "evidence": each.evidence,
                "command": each.command,
                "checks": [
                    {"holds": check.holds, "by": "plan" if check.is_said else "data", "says": check.says}
                    for check in each.checks
                ],
            }
            for each in found.answers
        ],
    }


def _plan(facts: Facts, missing: Sequence[str]) -> Check:
    if not missing:
        return Check(holds=True, says="the plan answers it", is_said=True)
    says = f"the plan does not say {', '.join(missing)}"
    if not facts.is_planned:
        return Check(
            holds=False,
            says="it has no plan",
            command=f"tocsin plan init {shlex.quote(facts.plan.use_case)}",
            is_said=True,
        )
    return Check(holds=False, says=says, command=_write(facts.plan, missing[0]), is_said=True)


def _know(facts: Facts, at: datetime, now: datetime) -> Iterator[Check]:
    name = _named(facts.plan)
    best = max((each for each in facts.verified if each.n >= LEAST), key=lambda each: each.n, default=None)
    yield _calls(facts, at, is_verified=best is not None)
    if best is not None:
        interval = "" if best.lower is None or best.upper is None else f" ({best.lower:.1%} to {best.upper:.1%})"
        shown = f"{best.value:.4g}" if best.evaluator == "regression_error" else f"{best.value:.1%}{interval}"
        says = f"{best.evaluator.replace('_', ' ')} {shown} on {best.n:,} {_MEASURES[best.evaluator]}"
        yield Check(holds=True, says=f"{says}, {best.slot:%Y-%m-%d}")
    else:
        most = max((each.n for each in facts.verified), default=0)
        says = f"{most or 'no'} outcomes of the last window verify its quality, of at least {LEAST}"
        yield Check(holds=False, says=says, command=f"tocsin review --use-case {name}")
    if facts.failing_rules:
        says = f"{', '.join(facts.failing_rules)} cannot be evaluated"
        yield Check(holds=False, says=says, command="tocsin rules check")
    else:
        says = f"{len(facts.page_rules)} page rules watch it" if facts.page_rules else "no page rule watches it"
        yield Check(holds=bool(facts.page_rules), says=says, command="tocsin rules list")
    yield _channels(facts, now)
    if facts.reference_until:
        yield Check(holds=True, says=f"compared with a reference that ends {facts.reference_until:%Y-%m-%d}")
    else:
        says = "there is no reference to compare with yet"
        yield Check(holds=False, says=says, command=f"tocsin reference load FILE --use-case {name}")


def _calls(facts: Facts, at: datetime, *, is_verified: bool) -> Check:
    if facts.last_call is None:
        return Check(holds=False, says="no call has arrived", command="tocsin doctor")
    if at - facts.last_call > _QUIET or not facts.calls:
        return Check(holds=False, says=f"no call since {facts.last_call:%Y-%m-%d}", command="tocsin doctor")
    share = facts.confident / facts.calls
    says = f"{facts.calls:,} calls in {facts.days:.0f} days, {share:.0%} with confidence"
    if share < _CONFIDENT and not is_verified:
        return Check(holds=False, says=f"{says}, and nothing else says how good they are", command="tocsin doctor")
    return Check(holds=True, says=says)


def _channels(facts: Facts, now: datetime) -> Check:
    if not facts.channels:
        return Check(
            holds=False, says="no channel takes its pages", command="write channels into tocsin.yaml, then restart it"
        )
    reached = [each for each in facts.channels if each.at and now - each.at <= _LASTS]
    if not reached:
        names = ", ".join(each.channel for each in facts.channels)
        command = f"tocsin alerts test-notify {facts.channels[0].channel}"
        return Check(holds=False, says=f"nothing has reached {names} in {_LASTS.days} days", command=command)
    last = max(reached, key=lambda each: (each.at, each.channel))
    return Check(holds=True, says=f"{last.by} reached {last.channel} on {last.at:%Y-%m-%d}")


def _then(facts: Facts) -> Iterator[Check]:
    name = _named(facts.plan)
    if facts.guard_rules:
        yield Check(holds=True, says=f"{len(facts.guard_rules)} rules trip its guard ({facts.plan.guard.mode})")
    else:
        yield Check(holds=False, says="no rule that applies to it trips its guard", command="tocsin rules list")
    if not facts.calls:
        yield Check(holds=False, says="no calls lately, of which any could be verified", command="tocsin doctor")
    elif not facts.confident:
        yield Check(
            holds=False, says="its calls send no confidence, so nothing can be verified", command="tocsin doctor"
        )
    elif facts.bar is None:
        says = "too little is reviewed to say below which confidence an answer goes to a person"
        yield Check(holds=False, says=says, command=f"tocsin review --use-case {name}")
    else:
        yield Check(holds=True, says=f"at 'verify' answers less than {facts.bar:.1%} sure go to a person")
    if facts.fallback_calls or facts.probes:
        yield Check(holds=True, says=f"its guard was seen to work: {_seen(facts)}")
    else:
        yield _never_served(facts)


def _retraining(facts: Facts) -> Iterator[Check]:
    name, said = _named(facts.plan), facts.retraining
    if not said.get("trigger"):
        yield Check(holds=False, says="no trigger can fire", command=f"tocsin retraining --use-case {name}")
        return
    if said["problem"]:
        yield Check(holds=False, says=f"the trigger cannot fire: {said['problem']}", command="tocsin plan check")
        return
    runs: Sequence[Mapping[str, Any]] = said["runs"]
    done = next((run for run in runs if run["state"] == "done" or run["result"]), None)
    by = f"{said['trigger']}, then {said['action']}, owned by {said['owner'] or 'nobody'}"
    if done is not None:
        yield Check(
            holds=True, says=f"{by}; set off on {done['slot']:%Y-%m-%d}: {done['result'] or done['said'] or 'done'}"
        )
    elif runs:
        says = f"{by}; set off on {runs[0]['slot']:%Y-%m-%d}, and nobody has said what came of it"
        yield Check(holds=False, says=says, command=f"tocsin retraining close {runs[0]['run'][:10]} RESULT")
    else:
        command = f"tocsin retraining start {name} --because 'to see that it works'"
        yield Check(holds=False, says=f"{by}; it was never set off", command=command)


def _fallback(facts: Facts, now: datetime) -> Iterator[Check]:
    if facts.fallback_calls:
        yield Check(holds=True, says=f"{facts.plan.guard.mode} mode, {_seen(facts)}")
    else:
        yield _never_served(facts)
    if facts.flipped_at and now - facts.flipped_at <= _LASTS:
        says = f"put into fallback on {facts.flipped_at:%Y-%m-%d} by {facts.flipped_by}"
        yield Check(holds=True, says=says)
    else:
        said = f"not since {facts.flipped_at:%Y-%m-%d}" if facts.flipped_at else "never"
        yield Check(
            holds=False, says=f"it was {said} put into fallback, not even to rehearse it", command=_rehearse(facts.plan)
        )


def _cost(facts: Facts) -> Iterator[Check]:
    plan = facts.plan
    lacking = [f"rates.{rate}" for rate in _RATES if getattr(plan.rates, rate) is None]
    if lacking:
        yield Check(
            holds=False,
            says=f"the plan does not say {', '.join(lacking)}",
            command=_write(plan, lacking[0]),
            is_said=True,
        )
    if not facts.calls:
        yield Check(holds=False, says="no calls to price", command="tocsin doctor")
    elif facts.unpriced:
        says = f"{facts.unpriced:,} of {facts.calls:,} calls have no price, so its cost is unknown"
        yield Check(holds=False, says=says, command="tocsin prices ls")
    else:
        yield Check(holds=True, says=_spent(facts))


def _spent(facts: Facts) -> str:
    known = [f"{amount / max(facts.days, 1.0):,.2f} {currency}" for currency, amount in sorted(facts.cost.items())]
    budget = facts.plan.budget
    of = "" if budget.per_day is None else f" of {budget.per_day:,} {budget.currency or ''}".rstrip()
    return f"{' and '.join(known) or '0'} a day{of}, every call priced"


def _seen(facts: Facts) -> str:
    return f"{facts.fallback_calls:,} calls were served by its fallback, {facts.probes:,} probed the model meanwhile"


def _never_served(facts: Facts) -> Check:
    return Check(holds=False, says="its fallback has never served a call", command=_rehearse(facts.plan))


def _rehearse(plan: Plan) -> str:
    name = _named(plan)
    return f"tocsin guard set {name} fallback --because rehearsal, and then: tocsin guard release {name}"


def _write(plan: Plan, key: str) -> str:
    where = plan.use_case if plan.project == "default" else f"{plan.project}--{plan.use_case}"
    return f"write {key} into use_cases/{where.replace('/', '--')}.yaml, then: tocsin plan check"


def _named(plan: Plan) -> str:
    """Name a use case as commands take it, with its project where that is not the default."""
    name = shlex.quote(plan.use_case)
    return name if plan.project == "default" else f"{name} --project {shlex.quote(plan.project)}"

"""What a rule would say: messages of any rule about a use case that does not exist, firing, at night, over, without data, in error, fifty at once.

What fires is what the rule's own tests say fires; the evidence is that of the sample messages. Pure.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias, get_args

from tocsin_alerts import absence, blindness
from tocsin_alerts.briefing import Case, Findings, GuardNews
from tocsin_alerts.course import subject_of
from tocsin_alerts.incidents import Incident, Incidents
from tocsin_alerts.message import Impact, Money, Night, Point
from tocsin_alerts.overlays import labels_of
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import AlertEvent, GuardRow, Sample
from tocsin_alerts.rule import Rule
from tocsin_alerts.rule_text import TestSample
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.sample_views import FIRING

Fixture: TypeAlias = Literal["firing", "night", "resolved", "no-data", "error", "fifty"]
FIXTURES: Final[tuple[Fixture, ...]] = get_args(Fixture)

INCIDENT: Final = "7f3c9a1e52b04d68"
_SLOT: Final = FIRING.slot
_ENDED: Final = _SLOT + timedelta(days=3)
_MANY: Final = 50
_SLOTS, _CALM = 28, 20
_FAILURE: Final = "StoreUnavailable: Timeout exceeded: elapsed 30.1 seconds, maximum: 30 (TIMEOUT_EXCEEDED)"
_BEGAN: Final = datetime(2026, 3, 22, tzinfo=UTC)
_NIGHT: Final = Night(until=_SLOT + timedelta(hours=9), wrong=45.0, worth_waking=20, wakes=True)
_EVIDENCE: Final = Findings(
    since=_BEGAN,
    quality=FIRING.quality,
    estimated=FIRING.estimated,
    calls_per_day=FIRING.calls_per_day,
    history=FIRING.history,
    days=FIRING.days,
    drifted=FIRING.drifted,
    worst_segment=FIRING.worst_segment,
    examples=FIRING.examples,
    explanation=FIRING.explanation,
    changed=FIRING.changed,
    release=FIRING.release,
    impact=Impact(since=_BEGAN, calls=52_104, users=310, money=(Money(currency="USD", spent=208.42, unpriced=0),)),
    retraining=FIRING.retraining,
)


def case_of(rule: Rule, fixture: Fixture, rules: RuleBook) -> Case:
    """Make the case of a message of a rule, which :func:`tocsin_alerts.briefing.brief` turns into words."""
    plan, sample = _plan(rule), _sample(rule)
    shadow = GuardRow(
        project=plan.project,
        use_case=plan.use_case,
        version=1,
        state=rule.text.guard or "normal",
        mode="shadow",
        applied=False,
        cause=f"{rule.name}: {_reason(rule, sample, plan)}",
        actor=f"rule:{rule.name}",
        incident=INCIDENT,
        probe_share=plan.guard.probe_share,
        hold_until=None,
        expires_at=None,
        since=_SLOT,
    )
    incident = _incident(rule, fixture, sample, plan)
    return Case(
        incident=incident,
        transition="resolved" if fixture == "resolved" else "firing",
        slot=_ENDED if fixture == "resolved" else _SLOT,
        members=list(incident.members.values()),
        news=frozenset(incident.members),
        plan=plan,
        rules=rules,
        guard=GuardNews(row=shadow) if rule.text.guard and fixture in ("firing", "night", "fifty") else GuardNews(),
        night=_NIGHT if fixture == "night" and rule.text.severity == "page" else None,
        findings=Findings() if fixture in ("no-data", "error") else _with_course(rule, sample, incident),
    )


def _incident(rule: Rule, fixture: Fixture, sample: Sample, plan: Plan) -> Incident:
    pending = [_event(rule, sample, to="pending", reason="")]
    fired = [_event(rule, sample, to="firing", reason=_reason(rule, sample, plan))]
    if fixture == "fifty":
        named = [{**sample.labels, "segment_name": "device", "segment_value": f"scanner-{n:02d}"} for n in range(_MANY)]
        fired = [replace(each, fingerprint=f"{n}", labels=labels) for n, labels in enumerate(named) for each in fired]
    elif fixture in ("no-data", "error"):
        fired = [replace(fired[0], value=None, lower=None, upper=None, baseline=None, n=0)]
        if fixture == "no-data":
            labels, severity = labels_of(sample.labels, "no_data"), absence.severity_of(rule)
            fired = [replace(fired[0], labels=labels, severity=severity, reason="nothing to judge for 2d")]
        else:
            began = _SLOT - blindness.patience(rule)
            pending = [replace(pending[0], slot=began)]
            reason = blindness.reason(began, _FAILURE)
            labels, severity = labels_of({}, "error"), blindness.severity_of(rule) or "log"
            fired = [replace(fired[0], labels=labels, severity=severity, reason=reason)]
    elif fixture == "resolved":
        over = replace(fired[0], event_id="over", from_state="firing", to_state="resolved", slot=_ENDED)
        fired = [fired[0], replace(over, reason=f"no longer {fired[0].reason}")]
    (incident,) = Incidents().take([*pending, *fired])
    return incident


def _with_course(rule: Rule, sample: Sample, incident: Incident) -> Findings:
    """Let the value of a rule that is not one of quality climb from its baseline to where it fires."""
    subject = subject_of(list(incident.members.values()), RuleBook({rule.name: rule}))
    if subject is None or sample.value is None:
        return _EVIDENCE
    begin, shares = (
        sample.baseline or 0.0,
        [max(0, number - _CALM) / (_SLOTS - _CALM) for number in range(1, _SLOTS + 1)],
    )
    course = tuple(
        Point(slot=_SLOT - (_SLOTS - number) * rule.text.every, value=begin + share * (sample.value - begin))
        for number, share in enumerate(shares, start=1)
    )
    return replace(_EVIDENCE, course=course, course_of=subject.fingerprint)


def _event(rule: Rule, sample: Sample, *, to: Literal["pending", "firing"], reason: str) -> AlertEvent:
    return AlertEvent(
        event_id=to,
        project=sample.project,
        use_case=sample.use_case,
        rule=rule.name,
        labels=sample.labels,
        fingerprint="0",
        incident=INCIDENT if to == "firing" else "",
        severity=rule.text.severity,
        from_state="inactive",
        to_state=to,
        slot=_SLOT if to == "firing" else FIRING.onset,
        value=sample.value,
        lower=sample.lower,
        upper=sample.upper,
        baseline=sample.baseline,
        n=sample.n,
        reason=reason,
        rule_hash=rule.hash,
    )


def _reason(rule: Rule, sample: Sample, plan: Plan) -> str:
    return rule.explain(sample, plan)


def _plan(rule: Rule) -> Plan:
    """Answer what a rule asks of a plan as its tests do, and the rest as the sample messages do."""
    said = next((test.plan for test in rule.text.tests if test.expect), None)
    return Plan.model_validate(
        {
            "use_case": FIRING.use_case,
            "owner": FIRING.owner,
            "contact": FIRING.contact,
            "runbook": {"link": FIRING.runbook.link, "first_steps": list(FIRING.runbook.steps)},
            "dashboard": FIRING.dashboard,
            "quality": {"measure": "accuracy", "floor": said and said.floor},
            "budget": {"per_day": said and said.budget_per_day, "currency": "USD"},
        }
    )


def _sample(rule: Rule) -> Sample:
    """Give what the rule's tests say makes it fire; without such a test, the sample messages' figures."""
    found = _fires_on(rule) or TestSample(slot=0, value=0.883, lower=0.868, upper=0.896, baseline=0.943, n=2_034)
    return Sample(
        project=FIRING.project,
        use_case=FIRING.use_case,
        labels=dict(found.labels),
        slot=_SLOT,
        value=found.value,
        lower=found.lower,
        upper=found.upper,
        baseline=found.baseline,
        n=found.n,
        effect=found.effect,
    )


def _fires_on(rule: Rule) -> TestSample | None:
    for test in rule.text.tests:
        slots = [expected.slot for expected in test.expect if expected.state == "firing"]
        at: Sequence[TestSample] = [sample for sample in test.samples if sample.slot in slots[:1]]
        if at:
            return at[0]
    return None

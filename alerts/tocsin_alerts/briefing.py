"""Put together what a message says: the incident, the evidence, the plan, and what the guard has done. Pure."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tocsin_alerts.incidents import Incident, Member, most_severe
from tocsin_alerts.message import Action, Alert, Drift, Example, Measure, Runbook, Segment, View
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import AlertEvent, GuardRow, GuardState, NotificationTransition
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook

_MOST_ALERTS: Final = 12  # of one incident in one message
_SERVED_BY_OTHERS: Final = {"fallback": "the fallback is serving", "off": "the feature is off"}
_ACCURACY: Final = frozenset(
    {
        "accuracy",
        "accuracy_cusum",
        "reviewed_sample",
        "judged_sample",
        "estimated_accuracy",
        "estimated_accuracy_daily",
        "confidence_shift",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The evidence in the words of a message."""

    since: datetime | None = None  # when it began, by the look of the figures; None: as the alerts say
    quality: Measure | None = None
    estimated: Measure | None = None
    calls_per_day: float | None = None
    history: tuple[float | None, ...] = ()
    drifted: tuple[Drift, ...] = ()
    worst_segment: Segment | None = None
    examples: tuple[Example, ...] = ()
    explanation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardNews:
    """What the guard did about an incident, and what is in force."""

    row: GuardRow | None = None  # the last one of this incident
    in_force: GuardState = "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that a briefing is made of."""

    incident: Incident
    transition: NotificationTransition
    slot: datetime
    members: Sequence[Member]  # those that the channel hears of
    news: frozenset[str]  # fingerprints that it has not heard of
    plan: Plan
    rules: RuleBook
    guard: GuardNews = field(default_factory=GuardNews)
    findings: Findings = field(default_factory=Findings)


def brief(case: Case) -> View:
    """Make the view of one message."""
    incident, plan, findings = case.incident, case.plan, case.findings
    listed = sorted(case.members, key=lambda member: not member.is_active)[:_MOST_ALERTS]
    alerts = tuple(_alert(member, case) for member in listed)
    new = [alert for alert in alerts if alert.is_new]
    lead = (new or alerts)[0] if case.transition == "updated" else alerts[0]
    rule = case.rules.get(lead.rule)
    wrong, before = _wrong_per_day(findings, lead)
    do_now, command = _do_now(case, lead, wrong, before)
    owner = (rule.text.owner if rule else None) or plan.owner or ""
    return View(
        transition=case.transition,
        severity=most_severe(case.members),
        project=incident.project,
        use_case=incident.use_case,
        incident=incident.id,
        do_now=do_now,
        command=command,
        opened=incident.opened,
        onset=_onset(case),
        slot=case.slot,
        lead=lead,
        alerts=alerts,
        quality=findings.quality,
        estimated=findings.estimated,
        wrong_per_day=wrong,
        history=findings.history,
        drifted=findings.drifted,
        worst_segment=findings.worst_segment,
        examples=findings.examples,
        explanation=findings.explanation,
        owner=owner,
        contact=plan.contact or "",
        runbook=_runbook(rule, plan),
        action=_action(case.guard),
        commands=(
            *(() if case.transition == "resolved" else (f"tocsin alerts ack {incident.id[:12]}",)),
            f"tocsin alerts list --use-case {_word(incident.use_case)}",
            f"tocsin guard show {_word(incident.use_case)}",
        ),
    )


def _onset(case: Case) -> datetime:
    onset = min(member.onset for member in case.members)
    return min(onset, case.findings.since or onset)


def _alert(member: Member, case: Case) -> Alert:
    event = member.last
    rule = case.rules.get(event.rule)
    measured = event if event.value is not None else member.fired
    return Alert(
        rule=event.rule,
        summary=rule.text.summary if rule else "",
        evaluator=rule.source.name if rule else "",
        unit=_unit(rule, event),
        severity=member.fired.severity,
        state=event.to_state,
        measure=Measure(
            value=measured.value,
            lower=measured.lower,
            upper=measured.upper,
            baseline=measured.baseline,
            n=measured.n,
        ),
        reason=_reason(event),
        labels=dict(event.labels),
        since=event.slot,
        is_new=event.fingerprint in case.news,
    )


def _reason(event: AlertEvent) -> str:
    shown = [
        f"{name} {value}" for name, value in sorted(event.labels.items()) if value and name in {"field", "currency"}
    ]
    if event.labels.get("segment_name"):
        shown.append(f"{event.labels['segment_name']} {event.labels['segment_value']}")
    return f"{', '.join(shown)}: {event.reason}" if shown else event.reason


def _unit(rule: Rule | None, event: AlertEvent) -> str:
    unit = str(getattr(rule.source, "unit", "")) if rule else ""
    if unit == "currency":
        return event.labels.get("currency", "")
    return "PSI" if unit == "nats" else unit


def _wrong_per_day(findings: Findings, lead: Alert) -> tuple[float | None, float | None]:
    """Count wrong answers a day: now, and as it was in the reference.

    By labels when they are what fired. Otherwise by the estimate, which speaks of the last days: labels are of calls
    before those, and would count today's wrong answers from before the drop.
    """
    by_labels = lead.evaluator.startswith("accuracy")
    measure = (findings.quality or findings.estimated) if by_labels else (findings.estimated or findings.quality)
    if measure is None or measure.value is None or findings.calls_per_day is None:
        return None, None
    before = None if measure.baseline is None else (1 - measure.baseline) * findings.calls_per_day
    return (1 - measure.value) * findings.calls_per_day, before


def _do_now(case: Case, lead: Alert, wrong: float | None, before: float | None) -> tuple[str, str]:
    """Say the first line, and the command that it speaks of."""
    use_case = _word(case.incident.use_case) + _in_project(case.incident.project)
    in_force = case.guard.in_force
    trouble = _lower_first((lead.summary or lead.rule).rstrip("."))
    trouble += f": {lead.labels['field']}" if lead.labels.get("field") else ""
    if case.transition == "resolved":
        said = ("Nothing to do: every alert of this incident is over.", "")
        if in_force != "normal":
            said = (
                f"It is over, and the guard is still at {in_force}. To release it:",
                f"tocsin guard release {use_case}",
            )
    elif most_severe(case.members) != "page":
        said = (f"Look at it in working hours: {trouble}.", "")
    elif in_force in _SERVED_BY_OTHERS:
        said = (f"Nothing until morning: {_SERVED_BY_OTHERS[in_force]}.", "")
    elif lead.evaluator in _ACCURACY or case.guard.row is not None:
        count = trouble if wrong is None else f"about {wrong:,.0f} wrong answers a day"
        count += "" if wrong is None or before is None else f" ({before:,.0f} before)"
        urgency = "Look today, answers are being verified" if in_force == "verify" else "Act"
        said = (f"{urgency}: {count}. To fall back:", f"tocsin guard set {use_case} fallback")
    else:
        steps = case.plan.runbook.first_steps
        said = (f"Act: {trouble}." + (f" First: {steps[0]}" if steps else ""), "")
    return said


def _action(guard: GuardNews) -> Action | None:
    row = guard.row
    if row is None:
        return None
    return Action(
        state=row.state,
        applied=row.applied,
        cause=row.cause,
        probe_share=row.probe_share,
        hold_until=row.hold_until,
        in_force=guard.in_force,
    )


def _runbook(rule: Rule | None, plan: Plan) -> Runbook:
    link = (rule.text.runbook if rule else None) or plan.runbook.link or ""
    return Runbook(link=link, steps=tuple(plan.runbook.first_steps[:5]))


def _word(text: str) -> str:
    return shlex.quote(text)


def _in_project(project: str) -> str:
    return "" if project == "default" else f" --project {_word(project)}"


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def alerts_of(members: Iterable[Member]) -> tuple[str, ...]:
    """List the fingerprints of some alerts, sorted."""
    return tuple(sorted(member.fired.fingerprint for member in members))

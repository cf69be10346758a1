"""Put together what a message says: the incident, the evidence, the plan, and what the guard has done. Pure."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tocsin_alerts.first_line import Standing, command, first_line
from tocsin_alerts.incidents import Incident, Member, most_severe
from tocsin_alerts.message import (
    Action,
    Alert,
    Day,
    Drift,
    Example,
    Impact,
    Measure,
    Release,
    Retraining,
    Runbook,
    Segment,
    View,
)
from tocsin_alerts.plain import without_links
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import AlertEvent, GuardRow, GuardState, NotificationTransition, Sample
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook

_MOST_ALERTS: Final = 12  # of one incident in one message
_MOST_STEPS: Final = 3  # of the runbook
_UNSAID: Final = "USE-CASE"


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
    changed: str = ""  # model, data or traffic, in a sentence; empty: not known
    release: Release | None = None
    impact: Impact | None = None
    retraining: Retraining | None = None
    days: tuple[Day, ...] = ()  # of which history is made


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
    standing = Standing(
        transition=case.transition,
        severity=most_severe(case.members),
        project=_typed(incident.project, plan),
        use_case=_typed(incident.use_case, plan),
        lead=lead,
        in_force=case.guard.in_force,
        has_guard_acted=case.guard.row is not None,
        first_step=next(iter(plan.runbook.first_steps), ""),
        wrong_per_day=wrong,
        wrong_before=before,
    )
    do_now, do_with = first_line(standing)
    return View(
        transition=case.transition,
        severity=standing.severity,
        project=incident.project,
        use_case=incident.use_case,
        incident=incident.id,
        do_now=do_now,
        command=do_with,
        changed=findings.changed,
        opened=incident.opened,
        onset=_onset(case),
        slot=case.slot,
        lead=lead,
        alerts=alerts,
        more_alerts=len(case.members) - len(listed),
        quality=findings.quality,
        estimated=findings.estimated,
        wrong_per_day=wrong,
        calls_per_day=findings.calls_per_day,
        history=findings.history,
        drifted=findings.drifted,
        worst_segment=findings.worst_segment,
        examples=findings.examples,
        explanation=findings.explanation,
        release=findings.release,
        impact=findings.impact,
        retraining=findings.retraining,
        days=findings.days,
        owner=(rule.text.owner if rule else None) or plan.owner or "",
        contact=plan.contact or "",
        runbook=_runbook(rule, plan),
        action=_action(case.guard),
        commands=_commands(standing, incident.id),
    )


def _typed(name: str, plan: Plan) -> str:
    """Give a name as commands write it. One that only callers say, in no plan, and that programs would link, is left to the reader."""
    is_declared = plan != Plan(use_case=plan.use_case, project=plan.project)
    return name if is_declared or without_links(name) == name else _UNSAID


def _commands(standing: Standing, incident: str) -> tuple[str, ...]:
    to_take = (
        f"tocsin alerts ack {incident[:12]}",
        command("alerts silence", standing, "--for", "2h", "--because", "WHY"),
    )
    return (
        *(() if standing.transition == "resolved" else to_take),
        f"tocsin alerts list --use-case {shlex.quote(standing.use_case)}",
        f"tocsin guard show {shlex.quote(standing.use_case)}",
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
        summary=_summary(rule, measured),
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
        threshold=_threshold(rule, measured, case.plan),
        reason=_reason(event),
        labels=dict(event.labels),
        since=event.slot,
        is_new=event.fingerprint in case.news,
    )


def _summary(rule: Rule | None, measured: AlertEvent) -> str:
    """Give the rule's sentence; of what was not measured it is not true, nor false."""
    if rule is None or measured.value is not None:
        return rule.text.summary if rule else ""
    return f"Cannot be judged: {rule.text.summary[:1].lower()}{rule.text.summary[1:]}"


def _threshold(rule: Rule | None, event: AlertEvent, plan: Plan) -> float | None:
    if rule is None:
        return None
    sample = Sample(
        project=event.project,
        use_case=event.use_case,
        labels=event.labels,
        slot=event.slot,
        value=event.value,
        lower=event.lower,
        upper=event.upper,
        baseline=event.baseline,
        n=event.n,
    )
    return rule.threshold(sample, plan)


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
    return Runbook(link=link, steps=tuple(plan.runbook.first_steps[:_MOST_STEPS]))


def alerts_of(members: Iterable[Member]) -> tuple[str, ...]:
    """List the fingerprints of some alerts, sorted."""
    return tuple(sorted(member.fired.fingerprint for member in members))

"""Put together what a message says: the incident, the evidence, the plan, and what the guard has done. Pure."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tocsin_alerts.alert_words import alert_of
from tocsin_alerts.first_line import Standing, command, first_line
from tocsin_alerts.incidents import Incident, Member, most_severe
from tocsin_alerts.message import (
    Action,
    Alert,
    Course,
    Day,
    Drift,
    Example,
    Impact,
    Measure,
    Night,
    Point,
    Release,
    Retraining,
    Runbook,
    Segment,
    View,
)
from tocsin_alerts.plain import without_links
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import GuardRow, GuardState, NotificationTransition
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.runbook import shipped_runbooks, shipped_steps
from tocsin_alerts.weekly import holds, next_beginning

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
    course: tuple[Point, ...] = ()  # the value of one alert at its rule's slots
    course_of: str = ""  # that alert's fingerprint


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
    night: Night | None = None  # None: people work, or the plan does not say when


def brief(case: Case) -> View:
    """Make the view of one message."""
    incident, plan, findings = case.incident, case.plan, case.findings
    listed = sorted(case.members, key=lambda member: not member.is_active)[:_MOST_ALERTS]
    alerts = tuple(
        alert_of(member, rules=case.rules, plan=plan, is_new=member.last.fingerprint in case.news) for member in listed
    )
    new = [alert for alert in alerts if alert.is_new]
    lead = (new or alerts)[0] if case.transition == "updated" else alerts[0]
    rule = case.rules.get(lead.rule)
    runbook = _runbook(rule, plan, lead.rule, incident)
    wrong, before = _wrong_per_day(findings, lead)
    standing = Standing(
        transition=case.transition,
        severity=most_severe(case.members),
        project=_typed(incident.project, plan),
        use_case=_typed(incident.use_case, plan),
        lead=lead,
        in_force=case.guard.in_force,
        has_guard_acted=case.guard.row is not None,
        first_step=next(iter(runbook.steps), ""),
        can_wait_until=_can_wait_until(plan, case),
        night=case.night,
        morning=_local(case.night.until, plan, "%a %H:%M") if case.night else "",
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
        night=case.night,
        days=findings.days,
        course=_course(case),
        owner=(rule.text.owner if rule else None) or plan.owner or "",
        contact=plan.contact or "",
        runbook=runbook,
        dashboard=(rule.text.dashboard if rule else None) or plan.dashboard or "",
        action=_action(case.guard),
        commands=_commands(standing, incident.id),
    )


def _course(case: Case) -> Course | None:
    found = case.findings
    of = next((each for each in case.members if each.fired.fingerprint == found.course_of), None)
    if of is None or not found.course:
        return None
    alert = alert_of(of, rules=case.rules, plan=case.plan, is_new=False)
    return Course(
        rule=alert.rule,
        labels=alert.labels,
        unit=alert.unit,
        threshold=alert.threshold,
        since=of.onset,
        points=found.course,
    )


def _can_wait_until(plan: Plan, case: Case) -> str:
    """Say until when what need not be done now can wait: the next of the plan's working hours, in its zone."""
    if not plan.hours:
        return "until morning"
    if case.night is None and holds(plan.hours, plan.zone, case.slot):
        return "urgent"
    begins = case.night.until if case.night else next_beginning(plan.hours, plan.zone, case.slot)
    day = begins.astimezone(ZoneInfo(plan.zone)).day
    return f"until {_local(begins, plan, '%H:%M')} ({_local(begins, plan, f'%a {day} %b')}, {plan.zone})"


def _local(when: datetime, plan: Plan, form: str) -> str:
    return when.astimezone(ZoneInfo(plan.zone)).strftime(form)


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


def _runbook(rule: Rule | None, plan: Plan, name: str, incident: Incident) -> Runbook:
    """Say where the steps are. The team's own come first; of a shipped rule there is always its own runbook."""
    use_case = shlex.quote(_typed(incident.use_case, plan))
    if incident.project != "default":
        use_case += f" --project {shlex.quote(_typed(incident.project, plan))}"
    return Runbook(
        link=(rule.text.runbook if rule else None) or plan.runbook.link or "",
        steps=tuple(plan.runbook.first_steps[:_MOST_STEPS]) or shipped_steps(name, use_case, most=_MOST_STEPS),
        guide=f"tocsin rules runbook {name}" if name in shipped_runbooks() else "",
    )


def alerts_of(members: Iterable[Member]) -> tuple[str, ...]:
    """List the fingerprints of some alerts, sorted."""
    return tuple(sorted(member.fired.fingerprint for member in members))

"""What a message says of one alert. Pure."""

from tocsin_alerts.incidents import Member
from tocsin_alerts.message import Alert, Measure
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import AlertEvent, Sample
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook


def alert_of(member: Member, *, rules: RuleBook, plan: Plan, is_new: bool) -> Alert:
    """Say of one alert what its rule is, what was measured and why it is where it is.

    Args:
        member: The alert.
        rules: Its rule is among them, unless it is gone.
        plan: What its rule is held against.
        is_new: Whether the reader has not heard of it.
    """
    event = member.last
    rule = rules.get(event.rule)
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
        threshold=_threshold(rule, measured, plan),
        reason=_reason(event),
        labels=dict(event.labels),
        since=event.slot,
        is_new=is_new,
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

"""That a rule has nothing to judge in a use case is an alert beside each of its own (see ``overlays``)."""

from datetime import datetime, timedelta

from tocsin_alerts import machine
from tocsin_alerts.durations import format_duration
from tocsin_alerts.machine import Observation, Status, Timing
from tocsin_alerts.records import Severity
from tocsin_alerts.rule import Rule


def severity_of(rule: Rule) -> Severity:
    """Give the rule's, but never a page: nothing is known to be wrong."""
    return "ticket" if rule.text.severity == "page" else rule.text.severity


def step(rule: Rule, status: Status, *, gone_for: timedelta, is_gone: bool, slot: datetime) -> tuple[Status, str]:
    """Take one slot in.

    Args:
        rule: With ``no_data`` said.
        status: Where it stood.
        gone_for: Since the rule last had a sample of the alert.
        is_gone: Whether that speaks of the whole use case, and the plan asks for the rule.
        slot: Which.

    Returns:
        Where it stands, and why.
    """
    holds = is_gone and rule.text.no_data is not None and gone_for >= rule.text.no_data
    seen = Observation(holds=holds, clears=not holds, overlay="no_data" if holds else "")
    reason = f"nothing to judge for {format_duration(gone_for)}" if holds else "there is something to judge again"
    return machine.step(status, seen, Timing(every=rule.text.every), slot), reason

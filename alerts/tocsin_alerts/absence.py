"""That a rule has nothing to judge in a use case is an alert beside each of its own: the same labels, rule and routes.

Beside, not instead: whether what it watches is well is not known, so its own state stays as it was.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from tocsin_alerts import machine
from tocsin_alerts.durations import format_duration
from tocsin_alerts.machine import Observation, Status, Timing
from tocsin_alerts.records import Severity
from tocsin_alerts.rule import Rule

_LABEL: Final = "overlay"
_VALUE: Final = "no_data"


def labels_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Give the labels under which it is told that an alert has nothing to judge."""
    return {**labels, _LABEL: _VALUE}


def is_absence(labels: Mapping[str, str]) -> bool:
    """Whether an alert says that there is nothing to judge, and nothing of what its rule watches."""
    return labels.get(_LABEL) == _VALUE


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

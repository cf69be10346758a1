"""That a rule cannot be evaluated is an alert beside its own, one in each use case that it watches (see ``overlays``). Pure.

It is dated by the clock's minutes, not by the rule's slots: the slot that fails is not done, and is done later as if nothing had been.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from tocsin_alerts import machine
from tocsin_alerts.groups import fingerprint
from tocsin_alerts.machine import Observation, Status, Timing
from tocsin_alerts.overlays import labels_of, overlay_of
from tocsin_alerts.plain import one_line
from tocsin_alerts.records import Severity
from tocsin_alerts.rule import Rule
from tocsin_alerts.series import SUPERSEDED_AFTER, Series, is_at_rest
from tocsin_alerts.slots import Schedule

MINUTE: Final = timedelta(minutes=1)
# Two of the rule's periods, within these: a store that was away for a moment is nobody's ticket; where nothing at all can be
# evaluated, "tocsin-evaluation-stuck" fires first, and says it once for all rules.
_SOONEST: Final = timedelta(minutes=15)
_LATEST: Final = timedelta(hours=2)
_MINUTES: Final = Schedule(every=MINUTE)
_REASON_CHARS: Final = 200


def severity_of(rule: Rule) -> Severity | None:
    """Give what the rule asks for; unless it says, a ticket, or less where the rule itself is less. None: nobody is told."""
    asked = rule.text.error
    if asked is None:
        return "log" if rule.text.severity == "log" else "ticket"
    return None if asked == "ignore" else asked


def patience(rule: Rule) -> timedelta:
    """Say for how long a rule must have failed."""
    return min(max(2 * rule.text.every, _SOONEST), _LATEST)


def reason(since: datetime, why: str) -> str:
    """Say since when a rule's evaluator fails, and with what."""
    return f"its evaluator has failed since {since:%Y-%m-%d %H:%M} UTC: {one_line(why, limit=_REASON_CHARS)}"


def beside(rule: Rule, series: Iterable[Series], now: datetime) -> list[Series]:
    """Begin the alert of each use case in which a rule has alerts that fire or wait, or had something to judge of late.

    Args:
        rule: Which.
        series: Its own alerts.
        now: The clock.
    """
    own = [each for each in series if overlay_of(each.labels) is None]
    latest = max((each.seen for each in own), default=now)
    places = {
        (each.project, each.use_case) for each in own if not is_at_rest(each) or latest - each.seen < SUPERSEDED_AFTER
    }
    labels, at = labels_of({}, "error"), _MINUTES.floor(now)
    return [
        Series(
            fingerprint=fingerprint(project, use_case, rule.name, labels),
            project=project,
            use_case=use_case,
            rule=rule.name,
            labels=labels,
            status=Status(since=at, slot=at - MINUTE),
            seen=at,
            rule_hash=rule.hash,
            severity=severity_of(rule) or "log",
        )
        for project, use_case in sorted(places)
    ]


def step(rule: Rule, status: Status, *, why: str | None, is_asked: bool, now: datetime) -> tuple[Status, str]:
    """Take one attempt in.

    Args:
        rule: Which.
        status: Where it stood.
        why: With what its evaluator failed; None: it answered.
        is_asked: Whether the plan asks for the rule, and the rule for this alert.
        now: The clock. An answer counts at once, in the minute of a failure too, and is then dated by the next.

    Returns:
        Where it stands, and why.
    """
    holds = why is not None and is_asked
    at = _MINUTES.floor(now) if why is not None else max(_MINUTES.floor(now), status.slot + MINUTE)
    seen = Observation(holds=holds, clears=not holds, overlay="error" if holds else "")
    after = machine.step(status, seen, Timing(every=MINUTE, hold=patience(rule)), at)
    if why is None:
        return after, "its evaluator answers again"
    since = status.since if status.state == "pending" else at
    return after, reason(since, why) if is_asked else "nobody asks for this alert any more"

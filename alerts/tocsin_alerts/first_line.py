"""The first line of a message: what to do, and the command to do it with. It is what a phone shows. Pure."""

import shlex
from dataclasses import dataclass
from typing import Final

from tocsin_alerts.message import Alert
from tocsin_alerts.plain import without_links
from tocsin_alerts.records import GuardState, NotificationTransition, Severity

_SERVED_BY_OTHERS: Final = {"fallback": "the fallback is serving", "off": "the feature is off"}
_HOURLY: Final = 48  # a day: more than two an hour are counted by the hour
_QUALITY: Final = frozenset(
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
class Standing:
    """What the first line depends on."""

    transition: NotificationTransition
    severity: Severity
    project: str
    use_case: str  # as commands write it
    lead: Alert
    in_force: GuardState
    has_guard_acted: bool  # or would it have
    first_step: str  # of the runbook; empty when there is none
    can_wait_until: str = "until morning"  # while others serve
    wrong_per_day: float | None = None
    wrong_before: float | None = None  # a day, in the reference


def first_line(standing: Standing) -> tuple[str, str]:
    """Say what to do, and the command that it speaks of; empty where there is none."""
    trouble = _trouble(standing.lead)
    if standing.transition == "resolved":
        return _over(standing)
    if standing.severity != "page":
        return f"Look at it in working hours: {trouble}.", ""
    if standing.in_force in _SERVED_BY_OTHERS:
        return f"Nothing {standing.can_wait_until}: {_SERVED_BY_OTHERS[standing.in_force]}.", ""
    if standing.lead.measure.value is None:
        return f"Act: {trouble}. To see why:", "tocsin status"
    if standing.lead.evaluator in _QUALITY or standing.has_guard_acted:
        urgency = "Look today, answers are being verified" if standing.in_force == "verify" else "Act"
        return f"{urgency}: {_count(standing) or trouble}. To fall back:", command("guard set", standing, "fallback")
    return f"Act: {trouble}." + (f" First: {standing.first_step}" if standing.first_step else ""), ""


def command(verb: str, standing: Standing, *rest: str) -> str:
    """Write a command about the use case, ready to be pasted into a shell."""
    project = () if standing.project == "default" else ("--project", shlex.quote(standing.project))
    return " ".join(("tocsin", verb, shlex.quote(standing.use_case), *project, *rest))


def _over(standing: Standing) -> tuple[str, str]:
    if standing.in_force == "normal":
        return "Nothing to do: every alert of this incident is over.", ""
    said = f"It is over, and the guard is still at {standing.in_force}. To release it:"
    return said, command("guard release", standing)


def _count(standing: Standing) -> str:
    wrong, before = standing.wrong_per_day, standing.wrong_before
    if wrong is None:
        return ""
    per, span = (24, "an hour") if wrong >= _HOURLY else (1, "a day")
    return f"about {wrong / per:,.0f} wrong answers {span}" + (
        "" if before is None else f" ({_few(before / per)} before)"
    )


def _few(count: float) -> str:
    return f"{count:,.0f}" if count >= 1 or count == 0 else "less than 1"


def _trouble(lead: Alert) -> str:
    if lead.measure.value is None:
        return f"{lead.rule} cannot be judged, so nobody knows"
    said = (lead.summary or lead.rule).rstrip(".")
    field = lead.labels.get("field", "")
    return said[:1].lower() + said[1:] + (f": {field}" if field and without_links(field) == field else "")

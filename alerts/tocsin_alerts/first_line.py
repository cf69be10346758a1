"""The first line of a message: what to do, and the command to do it with. It is what a phone shows. Pure."""

import shlex
from dataclasses import dataclass
from typing import Final

from tocsin_alerts.message import Alert, Night
from tocsin_alerts.plain import without_links
from tocsin_alerts.records import GuardState, NotificationTransition, Severity

_SERVED_BY_OTHERS: Final = {"fallback": "the fallback is serving", "off": "the feature is off"}
_HOURLY: Final = 48  # a day: more than two an hour are counted by the hour
OF_QUALITY: Final = frozenset(  # evaluators
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
    can_wait_until: str = "until morning"  # while others serve, or little is lost
    night: Night | None = None  # None: people work, or nobody said when
    morning: str = ""  # when they work again, as people say it: "Mon 09:00"
    wrong_per_day: float | None = None
    wrong_before: float | None = None  # a day, in the reference


def first_line(standing: Standing) -> tuple[str, str]:
    """Say what to do, and the command that it speaks of; empty where there is none."""
    trouble, night = _trouble(standing.lead), standing.night
    if standing.transition == "resolved":
        return _over(standing)
    served_by = _SERVED_BY_OTHERS.get(standing.in_force)
    if standing.severity != "page" and not (served_by and night):  # a page that is a ticket for the night
        return f"Look at it in working hours: {trouble}.", ""
    if because := served_by or (little(night) if night and not night.wakes else ""):
        return f"Nothing {standing.can_wait_until}: {because}.", ""
    if standing.lead.measure.value is None:
        return f"Act: {trouble}. To see why:", "tocsin status"
    if _is_of_quality(standing):
        urgency = "Look today, answers are being verified" if standing.in_force == "verify" else "Act"
        said = (_count(standing) or trouble) + _waiting(standing)
        return f"{urgency}: {said}. To fall back:", command("guard set", standing, "fallback")
    first = f" First: {standing.first_step}" if standing.first_step else ""
    return f"Act: {trouble}{_waiting(standing)}.{first}", ""


def little(night: Night) -> str:
    """Say of what waits what it is estimated to cost."""
    if night.wrong is None or night.worth_waking is None:
        return "what waiting costs is not known"
    return f"about {_few(night.wrong)} wrong answers before then, below your limit of {night.worth_waking:,.0f}"


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
    is_counted = standing.night is not None and standing.night.wrong is not None
    usual = "" if before is None or is_counted else f" ({_few(before / per)} before)"
    return f"about {wrong / per:,.0f} wrong answers {span}{usual}"


def _waiting(standing: Standing) -> str:
    """Say what it costs to wait until people work again; nothing where they do, or nobody said when."""
    if standing.night is None:
        return ""
    if standing.night.wrong is None:
        return f"; what waiting until {standing.morning} costs is not known"
    what = "" if _count(standing) and _is_of_quality(standing) else " wrong answers"
    return f", {_few(standing.night.wrong)}{what} more than usual before {standing.morning}"


def _is_of_quality(standing: Standing) -> bool:
    return standing.lead.evaluator in OF_QUALITY or standing.has_guard_acted


def _few(count: float) -> str:
    return f"{count:,.0f}" if count >= 1 or count == 0 else "less than 1"


def _trouble(lead: Alert) -> str:
    if lead.measure.value is None:
        return f"{lead.rule} cannot be judged, so nobody knows"
    said = (lead.summary or lead.rule).rstrip(".")
    field = lead.labels.get("field", "")
    return said[:1].lower() + said[1:] + (f": {field}" if field and without_links(field) == field else "")

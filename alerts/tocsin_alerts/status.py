"""How each use case stands, in one word and one reason. Nothing is right without evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from tocsin_alerts.itself import SELF
from tocsin_alerts.journal import Journal
from tocsin_alerts.overlays import overlay_of
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.records import Sample
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.series import Series

Standing: TypeAlias = Literal["right", "drifting", "wrong", "unverified", "collecting"]

REFERENCE_DAYS: Final = 28
REFERENCE_CALLS: Final = 200
ENOUGH_LABELS: Final = 50  # as accuracy-below-floor asks for: fewer neither condemn nor acquit
_FRESH: Final = timedelta(days=2)  # an older sample speaks of another time


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCaseStatus:
    """One use case: the word, the reason, and the figures behind both."""

    project: str
    use_case: str
    verdict: Standing
    reason: str
    accuracy: Sample | None  # on labels; value None: not enough of them
    estimate: Sample | None  # without labels
    alerts: tuple[Series, ...]  # pending, firing or recovering, pages first
    unanswered: int  # of the plan's five questions
    evaluated_through: datetime | None
    calls: int = 0  # of the model, ever
    first_hour: datetime | None = None  # of them
    last_hour: datetime | None = None


def judge(
    journal: Journal,
    *,
    series: Sequence[Series],
    book: RuleBook,
    plans: Plans,
    evaluated_through: datetime | None,
) -> list[UseCaseStatus]:
    """Judge every use case that has calls, alerts or a plan."""
    progress = {(row["project"], row["use_case"]): row for row in journal.progress()}
    latest: dict[tuple[str, str, str], Sample] = {}
    if evaluated_through is not None:
        for evaluator, sample in journal.latest(after=evaluated_through - _FRESH):
            key = (sample.project, sample.use_case, evaluator)
            # Of several model versions the newest slot speaks, and at one slot the one with most behind it.
            if key not in latest or (sample.slot, sample.n) > (latest[key].slot, latest[key].n):
                latest[key] = sample
    declared = {(plan.project, plan.use_case) for plan in plans}
    known = sorted({*progress, *declared, *((each.project, each.use_case) for each in series)})
    known = [each for each in known if each[1] != SELF or each in progress]  # tocsin itself is no feature
    found = []
    for project, use_case in known:
        plan = plans.get(project, use_case)
        active = [
            each
            for each in series
            if (each.project, each.use_case) == (project, use_case)
            and each.status.state not in ("inactive", "resolved")
        ]
        active.sort(key=lambda each: (each.severity != "page", not each.status.is_active, each.rule, each.fingerprint))
        accuracy = latest.get((project, use_case, "accuracy"))
        estimate = latest.get((project, use_case, "estimated_accuracy"))
        alarm = _alarm(active, book)
        reviewed = latest.get((project, use_case, "reviewed_accuracy"))
        seen = progress.get((project, use_case))
        verdict, reason = alarm or _at_rest(plan, accuracy, reviewed, estimate, seen)
        found.append(
            UseCaseStatus(
                project=project,
                use_case=use_case,
                verdict=verdict,
                reason=reason,
                accuracy=accuracy,
                estimate=estimate,
                alerts=tuple(active),
                unanswered=len(plan.unanswered()),
                evaluated_through=evaluated_through,
                calls=int(seen["calls"]) if seen else 0,
                first_hour=seen["first_hour"] if seen else None,
                last_hour=seen["last_hour"] if seen else None,
            )
        )
    return found


def _alarm(active: Sequence[Series], book: RuleBook) -> tuple[Standing, str] | None:
    words: tuple[Standing, ...] = ("wrong", "drifting")
    for word in words:
        for each in active:
            rule = book.get(each.rule)
            if rule and each.status.is_active and rule.text.verdict == word and not overlay_of(each.labels):
                since = f"{each.status.since:%Y-%m-%d %H:%M}"
                return word, f"{rule.text.summary} ({each.rule}, since {since})"
    return None


def _at_rest(
    plan: Plan,
    accuracy: Sample | None,
    reviewed: Sample | None,
    estimate: Sample | None,
    progress: Mapping[str, Any] | None,
) -> tuple[Standing, str]:
    if progress is None:
        return "collecting", "no calls yet"
    for sample, what in ((accuracy, "labelled calls"), (reviewed, "reviewed calls")):
        if sample is not None and sample.value is not None and sample.n >= ENOUGH_LABELS:
            return _from_labels(plan, sample, sample.value, progress, what=what)
    if not progress["has_reference"]:
        return "collecting", _collected(progress)
    labels = accuracy.n if accuracy else 0
    reason = f"{labels or 'no'} outcome{'s' * (labels != 1)} in the last label window"
    reason += ": too few to say" if labels else ""
    if estimate is not None and estimate.value is not None:
        reason += f"; estimated without labels: {estimate.value:.1%}"
    elif not progress["confident"]:
        reason += "; its calls give no confidence: reviews or judge only"
    return "unverified", reason


def _from_labels(
    plan: Plan, sample: Sample, value: float, progress: Mapping[str, Any], *, what: str
) -> tuple[Standing, str]:
    shown = f"accuracy {value:.1%} on {sample.n} {what}"
    floor = plan.quality.floor
    if floor is not None:
        if value >= floor:
            return "right", f"{shown}, floor {floor:.1%}"
        return "drifting", f"{shown} is below the floor of {floor:.1%}, though not yet beyond doubt"
    if sample.baseline is not None:
        return "right", f"{shown}, reference {sample.baseline:.1%}"
    if not progress["has_reference"]:
        return "collecting", f"{_collected(progress)}; {shown}"
    return "unverified", f"{shown}, but neither a floor nor a labelled reference to hold it against"


def _collected(progress: Mapping[str, Any]) -> str:
    calls, first, last = int(progress["calls"]), progress["first_hour"], progress["last_hour"]
    day = min((last - first) // timedelta(days=1) + 1, REFERENCE_DAYS)
    enough = f"{calls} of {REFERENCE_CALLS} calls" if calls < REFERENCE_CALLS else f"{calls} calls"
    return f"collecting reference: {enough}, day {day} of {REFERENCE_DAYS}"

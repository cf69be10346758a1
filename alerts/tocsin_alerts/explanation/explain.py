"""Looks up why quality fell, as of a slot; the caller bounds the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from typing import Any, Final

from tocsin_alerts.explanation.changepoint import DayShare, Onset, find_onset
from tocsin_alerts.explanation.contributions import Contribution, Part, merged, of_parts, of_shift
from tocsin_alerts.message import Release
from tocsin_alerts.ports import Query

_BACK_DAYS: Final = 60
_BACK: Final = timedelta(days=_BACK_DAYS)
_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_LEAST_LABELS: Final = 10  # a day with fewer says nothing of its share
_LEAST_CALLS: Final = 50
_SAMPLED: Final = 20_000  # calls on either side, whose fields are looked at
_LEAST_POINTS: Final = 0.002  # a smaller contribution is not worth a line
_MOST: Final = 3
_DRIFTED: Final = 0.1  # PSI: the common first step of "moved"
_TRAFFIC: Final = 1.5  # times as much or as little


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One input, and since when its distribution has been another."""

    field: str
    since: date
    psi: float  # at the slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why quality fell; what is not known is empty, never guessed."""

    slot: datetime
    onset: Onset | None
    onset_by: str  # labels, estimate; empty without an onset
    first_moved: tuple[Moved, ...]  # in the order in which they moved
    loss: float | None  # rise of the estimated share of wrong answers, from the week before the onset to the last
    segments: tuple[Contribution, ...]  # "device = flatbed-2"; each segment's values sum to the loss
    fields: tuple[Contribution, ...]  # what the shift of a field alone accounts for; they overlap
    new_versions: tuple[str, ...]  # that answered first about the onset
    calls_then: float | None  # a day, before the onset
    calls_now: float | None
    release: Release | None = None  # the last version that came; None: there were no calls

    @property
    def causes(self) -> tuple[str, ...]:
        """Name what changed at about that time: model, data, traffic."""
        found = []
        if self.new_versions:
            found.append("model")
        if self.first_moved:
            found.append("data")
        if self.calls_then and self.calls_now is not None:
            times = self.calls_now / self.calls_then
            if times >= _TRAFFIC or times <= 1 / _TRAFFIC:
                found.append("traffic")
        return tuple(found)


def explain(
    query: Query,
    *,
    project: str,
    use_case: str,
    slot: datetime,
    with_fields: bool = True,
) -> Explanation:
    """Look up when it began and what accounts for it.

    Args:
        query: The store.
        project: The use case's.
        use_case: Whose quality fell.
        slot: Nothing after it is looked at.
        with_fields: Whether fields are looked at, which reads calls one by one; everything else reads sums.
    """
    slot = slot.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    stream = {"project": project, "use_case": use_case, "slot": slot, "since": slot - _BACK}
    held = query.rows(_sql("calibration"), stream)
    calibration = {
        "knots": list(held[0]["bins"]) if held else [],
        "precision": [float(each) for each in held[0]["precision"]] if held else [],
    }
    eras = {"now": slot - _WEEK, "then": slot - _BACK, "then_until": slot - _BACK}
    days = [row for row in query.rows(_sql("doubts"), {**stream, **calibration, **eras}) if not row["segment_name"]]
    onset, by = _onset(query.rows(_sql("labels"), stream), days)
    versions, traffic = _traffic(query.rows(_sql("versions"), stream))
    begun = datetime.combine(onset.day, time(), tzinfo=UTC) if onset else slot - _WEEK
    eras = {"now": max(begun, slot - _WEEK), "then": begun - 2 * _WEEK, "then_until": begun}
    parts = query.rows(_sql("doubts"), {**stream, **calibration, **eras})
    calls = sum(count for day, count in traffic.items() if day >= eras["then"].date())
    one_of = max(1, int(calls) // (2 * _SAMPLED))
    cells = query.rows(_sql("fields"), {**stream, **calibration, **eras, "one_of": one_of}) if with_fields else []
    return Explanation(
        slot=slot,
        onset=onset,
        onset_by=by,
        first_moved=_moved(query.rows(_sql("moved"), stream), slot),
        loss=_loss(parts, eras),
        segments=_segments(parts, eras),
        fields=_fields(cells),
        new_versions=_new_versions(versions, onset, slot),
        calls_then=_mean(traffic, eras["then"].date(), begun.date()),
        calls_now=_mean(traffic, eras["now"].date(), slot.date()),
        release=_release(versions),
    )


def _onset(labels: Sequence[Mapping[str, Any]], doubts: Sequence[Mapping[str, Any]]) -> tuple[Onset | None, str]:
    """Find the onset by labels, which know, and by the estimate, which is there sooner; the earlier one that is found."""
    labelled = [
        DayShare(day=row["day"], value=row["right_sum"] / row["weight_sum"], n=float(row["labels"]))
        for row in labels
        if row["labels"] >= _LEAST_LABELS
    ]
    estimated = [
        DayShare(day=row["day"], value=1 - row["error"], n=float(row["calls"]))
        for row in doubts
        if row["calls"] >= _LEAST_CALLS
    ]
    found = [
        (onset, by) for onset, by in ((find_onset(labelled), "labels"), (find_onset(estimated), "estimate")) if onset
    ]
    return min(found, key=lambda each: each[0].day) if found else (None, "")


def _traffic(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], dict[date, float]]:
    versions = [row for row in rows if row["what"] == "version"]
    return versions, {row["first_at"].date(): float(row["recent"]) for row in rows if row["what"] == "day"}


def _new_versions(versions: Sequence[Mapping[str, Any]], onset: Onset | None, slot: datetime) -> tuple[str, ...]:
    """List versions whose first hour is about the onset, unless there was nothing before them."""
    if onset is None or not versions:
        return ()
    first_of_all = min(row["first_at"] for row in versions)
    total = sum(row["recent"] for row in versions)
    return tuple(
        f"{_version(row)}, since {row['first_at']:%Y-%m-%d}"
        for row in versions
        if row["first_at"] > first_of_all
        and onset.earliest - 2 * _DAY <= row["first_at"].date() <= min(onset.latest + 2 * _DAY, slot.date())
        and row["recent"] >= 0.05 * total
    )


def _release(versions: Sequence[Mapping[str, Any]]) -> Release | None:
    """Give the version that answered first most lately, of those that still answer; the first of all is no release."""
    if not versions:
        return None
    first_of_all = min(row["first_at"] for row in versions)
    total = sum(row["recent"] for row in versions)
    later = [row for row in versions if row["first_at"] > first_of_all and row["recent"]]
    if not later:
        return Release(version="", since=None, share=None, looked_days=_BACK_DAYS)
    last = max(later, key=lambda row: (row["first_at"], row["recent"]))
    share = last["recent"] / total
    return Release(version=_version(last), since=last["first_at"].astimezone(UTC), share=share, looked_days=_BACK_DAYS)


def _version(row: Mapping[str, Any]) -> str:
    return " with prompt ".join(name for name in (row["model_version"], row["prompt_version"]) if name) or "(unnamed)"


def _moved(rows: Sequence[Mapping[str, Any]], slot: datetime) -> tuple[Moved, ...]:
    """List the inputs that are moved at the last midnight, by the day from which they have been so without a break."""
    midnight = slot.replace(hour=0)
    series: dict[str, dict[datetime, float]] = {}
    for row in rows:
        series.setdefault(row["field"], {})[row["at_slot"].astimezone(UTC)] = row["furthest"]
    found = []
    for field, values in series.items():
        since = midnight
        while values.get(since - _DAY, 0.0) >= _DRIFTED:
            since -= _DAY
        if values.get(midnight, 0.0) >= _DRIFTED:
            found.append(Moved(field=field, since=(since - _DAY).date(), psi=values[midnight]))
    return tuple(sorted(found, key=lambda each: (each.since, -each.psi, each.field))[:_MOST])


def _loss(rows: Sequence[Mapping[str, Any]], eras: Mapping[str, datetime]) -> float | None:
    whole = [row for row in rows if not row["segment_name"]]
    then = [row for row in whole if eras["then"].date() <= row["day"] < eras["then_until"].date()]
    now = [row for row in whole if row["day"] >= eras["now"].date()]
    if not then or not now:
        return None
    return _error(now) - _error(then)


def _error(rows: Sequence[Mapping[str, Any]]) -> float:
    return float(sum(row["calls"] * row["error"] for row in rows) / sum(row["calls"] for row in rows))


def _segments(rows: Sequence[Mapping[str, Any]], eras: Mapping[str, datetime]) -> tuple[Contribution, ...]:
    by_name: dict[str, dict[str, dict[bool, Mapping[str, Any]]]] = {}
    for row in rows:
        if row["segment_name"]:
            eras_of = by_name.setdefault(row["segment_name"], {}).setdefault(row["segment_value"], {})
            eras_of[row["day"] == eras["now"].date()] = row
    found = [
        each
        for name, values in by_name.items()
        for each in of_parts({f"{name} = {value}": _part(eras_of) for value, eras_of in values.items()})
    ]
    return _largest(found)


def _part(eras: Mapping[bool, Mapping[str, Any]]) -> Part:
    nothing = {"calls": 0, "error": 0.0}
    then, now = eras.get(False, nothing), eras.get(True, nothing)
    return Part(
        then_calls=float(then["calls"]), then_error=then["error"], now_calls=float(now["calls"]), now_error=now["error"]
    )


def _fields(rows: Sequence[Mapping[str, Any]]) -> tuple[Contribution, ...]:
    numbers: dict[str, dict[int, Part]] = {}
    others: dict[str, list[Part]] = {}
    for row in rows:
        part = Part(**{name: float(row[name]) for name in ("then_calls", "then_error", "now_calls", "now_error")})
        if row["kind"] == "number":
            numbers.setdefault(row["field"], {})[row["bin"]] = part
        else:
            others.setdefault(row["field"], []).append(part)
    found = [
        Contribution(name=field, points=of_shift([*merged(numbers.get(field, {})), *others.get(field, [])]))
        for field in sorted({*numbers, *others})
    ]
    return _largest(found)


def _largest(found: Sequence[Contribution]) -> tuple[Contribution, ...]:
    worth = [each for each in found if each.points >= _LEAST_POINTS]
    return tuple(sorted(worth, key=lambda each: (-each.points, each.name))[:_MOST])


def _mean(traffic: Mapping[date, float], since: date, until: date) -> float | None:
    days = [count for day, count in traffic.items() if since <= day < until]
    return sum(days) / len(days) if days else None


def _sql(name: str) -> str:
    return resources.files("tocsin_alerts").joinpath("explanation", f"{name}.sql").read_text(encoding="utf-8")

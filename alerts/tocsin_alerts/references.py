"""Reference windows: what "as it was" means for each accepted version, frozen once; and the calibration that goes with it.

Only the first version of a use case and those that a person has accepted since have a reference. Evaluators compare a
version with its own, and one that has none with the last accepted: a silent swap cannot hide behind a reference of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from tocsin_alerts.calendar_days import DaysOf, left_out, no_days, ordinary
from tocsin_alerts.calibrating import fit
from tocsin_alerts.ports import Query
from tocsin_alerts.reference_shapes import pooled, profile, shapes, traffic_profiles
from tocsin_alerts.reference_sql import statement
from tocsin_alerts.versions import Version

WINDOW: Final = timedelta(days=28)
MIN_CALLS: Final = 200
BY_ITSELF: Final = "tocsin"  # who accepts the first version of a use case

Origin: TypeAlias = Literal["", "calls", "rows"]  # as reference_windows says
Span: TypeAlias = tuple[datetime, datetime]

_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One thing that :func:`maintain` has written."""

    kind: Literal["reference", "calibration"]
    version: Version
    since: datetime
    until: datetime
    n: int  # calls of the reference, labels of the calibration


def maintain(query: Query, *, slot: datetime, calendar: DaysOf = no_days) -> list[Kept]:
    """Freeze the references that are due at a daily slot, and fit their calibrations.

    A version that is in use gets its reference after 28 whole days, or as many more weeks as 200 calls take: when it is
    the first of its use case to get so far, or accepted. Its calibration is fitted again each day until labels are usually
    complete, and stays as it is from then on. Doing it again at the same slot changes nothing.

    Args:
        query: The store.
        slot: A day's end.
        calendar: Days that are left out; as many more weeks are waited for as they take.
    """
    known = {Version.of(row): row for row in query.rows(statement("frozen"))}
    accepted = {Version.of(row) for row in query.rows(statement("accepted"))} | known.keys()
    active = [Version.of(row) for row in query.rows(statement("active"), {"slot": slot})]
    based = {(version.project, version.use_case) for version, row in known.items() if row["origin"] != "rows"}
    ready = {
        version: span
        for version in active
        if (version not in known or known[version]["origin"])
        and (version in accepted or (version.project, version.use_case) not in based)
        and (span := _due(query, version, slot, calendar))
    }
    done = []
    for version in active:
        if version in ready and (version in accepted or _is_first(version, ready, based)):
            since, until = ready[version]
            done.append(freeze(query, version, ready[version], slot=slot, calendar=calendar))
            if version not in accepted:
                accept(query, version, by=BY_ITSELF, reason="the first of its use case", at=slot)
            is_wanted = True
        elif version in known:
            since, until = _utc(known[version]["since"]), _utc(known[version]["until"])
            is_wanted = known[version]["origin"] != "rows" and _wants_fit(known[version], until, slot)
        else:
            continue
        days = calendar(version.project, version.use_case)
        labels = fit(query, version, since, until, slot=slot, calendar=days) if is_wanted else None
        if labels is not None:
            done.append(Kept(kind="calibration", version=version, since=since, until=until, n=labels))
    return done


def accept(query: Query, version: Version, *, by: str, reason: str, at: datetime) -> None:
    """Write down that a version may be what the present is compared with."""
    row = {**version.as_params(), "accepted_at": at, "accepted_by": by, "reason": reason}
    query.insert("releases", [row])


def days_of(query: Query, version: Version, slot: datetime, calendar: DaysOf) -> list[dict[str, Any]]:
    """Count a version's calls by day, but for those of the calendar."""
    out = left_out(calendar(version.project, version.use_case))
    return query.rows(statement("days"), {**version.as_params(), **out, "slot": slot})


def whole_weeks(
    days: Sequence[Mapping[str, Any]], slot: datetime, calendar: Sequence[tuple[date, date]] = ()
) -> Span | None:
    """Find the first whole weeks that hold enough calls, if they have passed by now.

    Args:
        days: ``day`` and ``first_hour`` in seconds since 1970, ``calls``; ascending.
        slot: Now.
        calendar: Days that are left out of ``days``.
    """
    if not days:
        return None
    first = datetime.fromtimestamp(days[0]["first_hour"], UTC)
    since = first.replace(hour=0)
    if since < first:  # the day it was installed is not a whole one
        since += timedelta(days=1)
    until = since + WINDOW
    while until <= slot:
        calls = sum(day["calls"] for day in days if since.timestamp() <= day["day"] < until.timestamp())
        if calls >= MIN_CALLS and ordinary(calendar, since, until) >= WINDOW:
            return since, until
        until += _WEEK
    return None


def freeze(
    query: Query,
    version: Version,
    span: Span,
    *,
    slot: datetime,
    origin: Origin = "",
    calendar: DaysOf = no_days,
) -> Kept:
    """Freeze a window of calls as what the present is compared with; a window that was frozen before is replaced.

    Traffic of less than four whole weeks says nothing of an ordinary week: volume, silence and cost stay as they were.
    """
    since, until = span
    days = calendar(version.project, version.use_case)
    params = {**version.as_params(), **left_out(days), "since": since, "until": until}
    traffic = query.rows(statement("traffic"), params)
    cells = pooled(query.rows(statement("histogram"), params))
    calls = sum(int(row["own_calls"]) for row in traffic)
    found = shapes(cells, calls)
    profiles = [
        *found,
        *_scatter(query, params, found),
        *([] if origin else traffic_profiles(traffic, since, until, days)),
    ]
    write(query, version, span, cells, profiles, calls=calls, slot=slot, origin=origin)
    return Kept(kind="reference", version=version, since=since, until=until, n=calls)


def _scatter(query: Query, window: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Measure how unlike each other a window's own days and hours are: what is ordinary may not wake anybody."""
    made = []
    for whole in (shape for shape in found if shape["kind"] == "confidence"):
        asked = {**window, "edges": whole["edges"], "figures": whole["figures"], "n": whole["n"], "least": MIN_CALLS}
        [row] = query.rows(statement("confidence_days"), asked)
        if row["days"]:
            made.append(profile("confidence_day", n=row["days"]) | {"figures": [row["farthest"]]})
    gaps = [(row["field"], row["dispersion"]) for row in query.rows(statement("null_hours"), window)]
    runs = [(row["field"], row["longest"]) for row in query.rows(statement("null_runs"), window)]
    made += [
        profile("null_hour", names=gaps, n=max(1, len(gaps))),
        profile("null_run", names=runs, n=max(1, len(runs))),
    ]
    stuck = query.rows(statement("stuck_days"), {**window, "least": MIN_CALLS})
    return made + [
        profile("stuck_day", field=row["field"], n=row["days"]) | {"figures": [row["ordinary"]]} for row in stuck
    ]


def write(
    query: Query,
    version: Version,
    span: Span,
    cells: Sequence[Mapping[str, Any]],
    profiles: Sequence[Mapping[str, Any]],
    *,
    calls: int,
    slot: datetime,
    origin: Origin,
) -> None:
    """Store a reference, and empty what an earlier one of this version had and this one has not."""
    own, (since, until) = version.as_params(), span
    had = [{**row, "n": 0} for row in query.rows(statement("cells"), own)]
    had_shapes = [_emptied(row) for row in query.rows(statement("profiles"), own)]
    kept = [*_without(had, cells, _CELL), *cells]
    query.insert(
        "reference_profiles",
        [
            {**own, **profile, "until": until, "frozen_at": slot}
            for profile in (*_without(had_shapes, profiles, _PROFILE), *profiles)
        ],
    )
    # The row of kind "calls" says that all is there, so it comes in the last insert.
    window = {"since": since, "until": until, "frozen_at": slot, "origin": origin}
    query.insert("reference_windows", [{**own, **window, **cell} for cell in (*kept, _cell(n=calls))])


_CELL: Final = ("kind", "field", "segment_name", "segment_value", "bin", "category")
_PROFILE: Final = ("kind", "field")


def _without(
    had: Sequence[Mapping[str, Any]], has: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> list[Mapping[str, Any]]:
    present = {tuple(row[name] for name in key) for row in has}
    return [row for row in had if tuple(row[name] for name in key) not in present]


def _emptied(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "edges": [], "names": [], "figures": [], "n": 0}


def _due(query: Query, version: Version, slot: datetime, calendar: DaysOf) -> Span | None:
    days = days_of(query, version, slot, calendar)
    return whole_weeks(days, slot, calendar(version.project, version.use_case))


def _is_first(version: Version, ready: Mapping[Version, Span], based: Collection[tuple[str, str]]) -> bool:
    """Whether no version of its use case has come so far before: of two that have by now, the one that did first."""
    key = (version.project, version.use_case)
    ends = [until for each, (_, until) in ready.items() if (each.project, each.use_case) == key]
    return key not in based and ready[version][1] == min(ends)


def _wants_fit(row: Mapping[str, Any], until: datetime, slot: datetime) -> bool:
    if not row["labels"]:
        return True
    fitted_at = _utc(row["fitted_at"])
    return fitted_at < slot and fitted_at < until + timedelta(seconds=row["label_delay_s"])


def _cell(*, n: int) -> dict[str, Any]:
    return {"kind": "calls", "field": "", "segment_name": "", "segment_value": "", "bin": 0, "category": "", "n": n}


def _utc(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)

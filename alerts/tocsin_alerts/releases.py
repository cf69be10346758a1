"""Versions as people decide about them: what each is compared with, and that a new one is accepted as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tocsin_alerts.audit import record
from tocsin_alerts.calendar_days import DaysOf, no_days
from tocsin_alerts.calibrating import calibration_of_rows
from tocsin_alerts.documents import suggest
from tocsin_alerts.errors import ReferenceRefused
from tocsin_alerts.ports import Query
from tocsin_alerts.reference_rows import RowCounts
from tocsin_alerts.reference_shapes import pooled, shapes
from tocsin_alerts.reference_sql import statement
from tocsin_alerts.references import MIN_CALLS, WINDOW, Kept, Origin, Span, accept, days_of, freeze, whole_weeks, write
from tocsin_alerts.versions import Version

_DAY: Final = timedelta(days=1)
_IN_USE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a version was when it was frozen."""

    since: datetime
    until: datetime
    calls: int
    origin: Origin
    labels: int  # of its calibration; 0: none is fitted
    accuracy: float | None  # on those labels

    @property
    def is_provisional(self) -> bool:
        """Whether fewer than four whole weeks of calls are behind it: its verdicts are tickets, never pages."""
        return bool(self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version, and what is known of it."""

    version: Version
    calls: int
    first_hour: datetime | None
    last_hour: datetime | None
    is_in_use: bool
    accepted_by: str  # empty: nobody has
    accepted_at: datetime | None
    reason: str
    reference: Reference | None  # its own
    compared_with: Version | None  # None: with nothing yet

    def line(self) -> str:
        """Say how it stands in one line."""
        if self.reference is not None:
            return _frozen(self.reference)
        if self.compared_with is None:
            return _collecting(self)
        if self.accepted_by:
            return f"accepted, compared with {self.compared_with} until it has a reference of its own"
        if self.calls < MIN_CALLS:
            return f"not accepted: {self.calls} of {MIN_CALLS} calls, then compared with {self.compared_with}"
        return f"not accepted: compared with {self.compared_with}; if it is meant, 'tocsin release accept {self.version.use_case}'"


def releases(query: Query, *, now: datetime) -> list[Release]:
    """List every version that has answered or has a reference, the newest of each use case first."""
    calls = {Version.of(row): row for row in query.rows(statement("versions"))}
    accepted = {Version.of(row): row for row in query.rows(statement("accepted"))}
    frozen = {Version.of(row): _reference(row) for row in query.rows(statement("frozen"))}
    found = []
    for version in sorted({*calls, *accepted, *frozen}):
        row, act = calls.get(version, {}), accepted.get(version, {})
        last_hour = row.get("last_hour")
        found.append(
            Release(
                version=version,
                calls=int(row.get("calls_made", 0)),
                first_hour=row.get("first_hour"),
                last_hour=last_hour,
                is_in_use=last_hour is not None and now - last_hour <= _IN_USE,
                accepted_by=act.get("accepted_by") or ("tocsin" if version in frozen else ""),
                accepted_at=act.get("accepted_at"),
                reason=act.get("reason", ""),
                reference=frozen.get(version),
                compared_with=_measure(version, frozen, now),
            )
        )
    found.sort(key=lambda each: each.first_hour or datetime.min.replace(tzinfo=UTC), reverse=True)
    return sorted(found, key=lambda each: (each.version.project, each.version.use_case))


def accept_release(
    query: Query,
    version: Version,
    *,
    by: str,
    reason: str,
    now: datetime,
    wall: datetime,
    calendar: DaysOf = no_days,
) -> Kept:
    """Accept a version as it has been so far, and freeze that: from now on it is what the present is compared with.

    Its first four whole weeks, when they have passed; else its calls until now, provisionally, until they have.

    Raises:
        ReferenceRefused: it has fewer than 200 calls.
    """
    days = days_of(query, version, _hour(now), calendar)
    calls = sum(int(day["calls"]) for day in days)
    if calls < MIN_CALLS:
        raise ReferenceRefused(
            f"expected at least {MIN_CALLS} calls of {version}, got {calls}: accept it when they have come"
        )
    span = whole_weeks(days, now, calendar(version.project, version.use_case))
    origin: Origin = "" if span else "calls"
    since = datetime.fromtimestamp(days[0]["first_hour"], UTC)
    _record(query, version, by=by, action="release accept", detail=reason, at=wall)
    accept(query, version, by=by, reason=reason, at=now)
    return freeze(query, version, span or (since, _hour(now)), slot=now, origin=origin, calendar=calendar)


def freeze_now(
    query: Query,
    version: Version,
    *,
    by: str,
    reason: str,
    now: datetime,
    wall: datetime,
    calendar: DaysOf = no_days,
) -> Kept:
    """Freeze a version anew by its last four whole weeks, or as many days as it has.

    Raises:
        ReferenceRefused: it has no reference yet, or fewer than 200 calls in that time.
    """
    if version not in {Version.of(row) for row in query.rows(statement("frozen"))}:
        raise ReferenceRefused(f"expected a version that was accepted, got {version}: see 'tocsin release list'")
    until = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = days_of(query, version, until, calendar)
    kept = [day for day in days if day["day"] >= (until - WINDOW).timestamp()]
    calls = sum(int(day["calls"]) for day in kept)
    if calls < MIN_CALLS:
        raise ReferenceRefused(
            f"expected at least {MIN_CALLS} calls of {version} in four weeks, got {calls}: wait for more"
        )
    is_whole = bool(days) and days[0]["first_hour"] <= (until - WINDOW).timestamp()
    since = until - WINDOW if is_whole else datetime.fromtimestamp(kept[0]["day"], UTC)
    _record(query, version, by=by, action="reference freeze", detail=reason, at=wall)
    span: Span = (since, until)
    return freeze(query, version, span, slot=now, origin="" if is_whole else "calls", calendar=calendar)


def load_rows(
    query: Query, version: Version, counts: RowCounts, *, by: str, reason: str, now: datetime, wall: datetime
) -> Kept:
    """Take training or test rows as what a version is compared with until four whole weeks of calls have come.

    Raises:
        ReferenceRefused: fewer than 200 rows, or the use case has four whole weeks of calls already.
    """
    if counts.rows < MIN_CALLS:
        raise ReferenceRefused(f"expected at least {MIN_CALLS} rows, got {counts.rows}")
    frozen = {Version.of(row): row for row in query.rows(statement("frozen"))}
    key = (version.project, version.use_case)
    if any((each.project, each.use_case) == key and not row["origin"] for each, row in frozen.items()):
        raise ReferenceRefused(
            f"{version.use_case!r} has a reference of four whole weeks of calls, which rows would not improve:"
            " 'tocsin reference show' says which"
        )
    at = _hour(now)
    _record(query, version, by=by, action="reference load", detail=reason or f"{counts.rows} rows", at=wall)
    accept(query, version, by=by, reason=reason or "training rows", at=now)
    if counts.calibrates:
        labelled, confidences = counts.label_cells(), counts.confidence_cells()
        query.insert("calibrations", [calibration_of_rows(version, labelled, confidences, until=at, fitted_at=now)])
    cells = pooled(counts.reference_cells())
    write(query, version, (at, at), cells, shapes(cells, counts.rows), calls=counts.rows, slot=now, origin="rows")
    return Kept(kind="reference", version=version, since=at, until=at, n=counts.rows)


def choose(known: Sequence[Release], *, project: str, use_case: str, model: str | None, prompt: str | None) -> Release:
    """Find the version that is meant among some: the one that matches, or the only one.

    Raises:
        ReferenceRefused: none or several do.
    """
    mine = [each for each in known if (each.version.project, each.version.use_case) == (project, use_case)]
    if not mine:
        names = sorted({each.version.use_case for each in known if each.version.project == project})
        raise ReferenceRefused(
            f"no version of {use_case!r} in project {project!r} comes into question: {suggest(use_case, names)}"
        )
    matching = [
        each
        for each in mine
        if model in (None, each.version.model_version) and prompt in (None, each.version.prompt_version)
    ]
    if len(matching) != 1:
        listed = "; ".join(
            f"--model-version '{each.version.model_version}' --prompt-version '{each.version.prompt_version}'"
            for each in mine
        )
        raise ReferenceRefused(f"expected one version of {use_case!r}, got {len(matching)}: say which ({listed})")
    return matching[0]


def _measure(version: Version, frozen: Mapping[Version, Reference], now: datetime) -> Version | None:
    """Choose as evaluators do: a version's own, else the latest of its use case."""
    mine = {
        each: reference
        for each, reference in frozen.items()
        if (each.project, each.use_case) == (version.project, version.use_case) and reference.until <= now
    }
    if version in mine:
        return version
    return max(mine, key=lambda each: mine[each].until) if mine else None


def _reference(row: Mapping[str, Any]) -> Reference:
    labels = int(row["labels"])
    return Reference(
        since=row["since"],
        until=row["until"],
        calls=int(row["calls"]),
        origin=row["origin"],
        labels=labels,
        accuracy=float(row["accuracy"]) if labels else None,
    )


def _frozen(reference: Reference) -> str:
    rows = "rows" if reference.origin == "rows" else "calls"
    kind = "provisional reference" if reference.is_provisional else "reference"
    when = (
        f"loaded {reference.until:%Y-%m-%d}"
        if rows == "rows"
        else f"{reference.since:%Y-%m-%d} to {reference.until:%Y-%m-%d}"
    )
    labelled = (
        f"accuracy {reference.accuracy:.1%} on {reference.labels:,} labels"
        if reference.labels
        else "no calibration yet"
    )
    return f"{kind}: {when}, {reference.calls:,} {rows}, {labelled}"


def _collecting(release: Release) -> str:
    first, last = release.first_hour, release.last_hour
    day = min((last - first) // _DAY + 1, WINDOW.days) if first and last else 0
    calls = f"{release.calls} of {MIN_CALLS} calls" if release.calls < MIN_CALLS else f"{release.calls} calls"
    return f"collecting reference: {calls}, day {day} of {WINDOW.days}"


def _record(query: Query, version: Version, *, by: str, action: str, detail: str, at: datetime) -> None:
    subject = f"{version.project}/{version.use_case} {version}"
    record(query, key=at.isoformat(), at=at, actor=by, action=action, subject=subject, detail=detail)


def _hour(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(minute=0, second=0, microsecond=0)

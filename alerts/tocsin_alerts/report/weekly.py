"""The week of all use cases in half an hour: what was told, what it was worth, what it cost, what has to be decided. Pure."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

WEEK: Final = timedelta(days=7)
OFF_TARGET: Final = ("wrong", "drifting", "unverified")
_MOST_RULES: Final = 5

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One incident that paged."""

    incident: str
    project: str
    use_case: str
    rules: tuple[str, ...]
    opened: datetime  # slot
    taken_by: str  # empty: nobody
    minutes: float | None  # from being taken to its end, or to now; None: nobody took it
    is_open: bool
    verdict: str  # actionable, noise; empty: nobody said


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one use case cost, in one currency; None is unknown."""

    project: str
    use_case: str
    currency: str
    calls: int
    unpriced: int
    cost: float  # of the calls with a price: at least so much where some have none
    before: float | None  # in the week before; None: no calls, or some without a price
    month: float | None  # forecast of its end
    budget: float | None  # of that month

    @property
    def is_over(self) -> bool:
        """Whether the month is going to end over its budget."""
        return self.month is not None and self.budget is not None and self.month > self.budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """What people spent; what says no minutes is counted, not guessed."""

    incidents: float
    untaken: int  # pages that nobody took: their minutes are unknown
    reviews: float
    scored: int
    untimed: int  # reviews that say no minutes

    @property
    def total(self) -> float:
        """All that is known."""
        return self.incidents + self.reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Something that waits for a person, and the command that takes it."""

    project: str
    use_case: str
    what: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A rule and how often it began to fire in the week."""

    rule: str
    severity: str
    times: int
    use_cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The report."""

    since: datetime
    until: datetime
    pages: tuple[Page, ...]
    off_target: tuple[Row, ...]  # project, use_case, verdict, reason
    spent: tuple[Spent, ...]
    decisions: tuple[Decision, ...]
    reviews_due: tuple[Row, ...]  # project, use_case, week, size, scored
    noisiest: tuple[Fired, ...]
    never_fired: tuple[str, ...]  # rules, ever
    minutes: Minutes
    readiness: tuple[Row, ...]  # documents

    @property
    def judged(self) -> int:
        """How many pages somebody said something of."""
        return sum(bool(page.verdict) for page in self.pages)

    @property
    def actionable(self) -> int:
        """How many of them called for something."""
        return sum(page.verdict == "actionable" for page in self.pages)

    @property
    def actionable_share(self) -> float | None:
        """Of those that were judged; None: none was."""
        return self.actionable / self.judged if self.judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the report is made of: rows as ``report/*.sql`` give them, and what the other desks say."""

    pages: Sequence[Row]
    fired: Sequence[Row]
    spent: Sequence[Row]
    forecasts: Sequence[Row]
    minutes: Sequence[Row]
    use_cases: Sequence[Row]  # with verdict and reason
    retraining: Sequence[Row]  # warnings
    releases: Sequence[Row]
    guards: Sequence[Row]
    reviews: Sequence[Row]  # standings of the latest draws
    rules: Sequence[tuple[str, str]]  # names and severities, of those in force
    readiness: Sequence[Row]


def weekly(told: Told, *, since: datetime, until: datetime, now: datetime) -> Week:
    """Put the week together.

    Args:
        told: What is known.
        since: Its beginning, on the clock of the slots.
        until: Its end.
        now: The time of day, for minutes of incidents that go on.
    """
    pages = tuple(_page(row, now) for row in told.pages)
    severities = dict(told.rules)
    noisiest = sorted((row for row in told.fired if row["in_week"]), key=lambda row: (-row["in_week"], row["rule"]))
    ever = {row["rule"] for row in told.fired}
    return Week(
        since=since,
        until=until,
        pages=pages,
        off_target=tuple(each for each in told.use_cases if each["verdict"] in OFF_TARGET),
        spent=tuple(_spent(told)),
        decisions=tuple(_decisions(told, pages)),
        reviews_due=tuple(each for each in told.reviews if each["scored"] < each["size"]),
        noisiest=tuple(
            Fired(
                rule=row["rule"],
                severity=severities.get(row["rule"], "no longer in force"),
                times=int(row["in_week"]),
                use_cases=int(row["use_cases"]),
            )
            for row in noisiest[:_MOST_RULES]
        ),
        never_fired=tuple(sorted(name for name, _ in told.rules if name not in ever)),
        minutes=Minutes(
            incidents=sum(page.minutes or 0.0 for page in pages),
            untaken=sum(page.minutes is None for page in pages),
            reviews=float(sum(row["minutes_spent"] for row in told.minutes)),
            scored=int(sum(row["reviews"] for row in told.minutes)),
            untimed=int(sum(row["untimed"] for row in told.minutes)),
        ),
        readiness=tuple(told.readiness),
    )


def _page(row: Row, now: datetime) -> Page:
    minutes = None
    if row["taken_at"] is not None:
        ended = now if row["is_open"] else row["ended_at"]
        minutes = max(0.0, (ended - row["taken_at"]) / timedelta(minutes=1))
    return Page(
        incident=row["incident"],
        project=row["project"],
        use_case=row["use_case"],
        rules=tuple(row["rules"]),
        opened=row["opened"],
        taken_by=row["taken_by"] or "",
        minutes=minutes,
        is_open=bool(row["is_open"]),
        verdict=row["verdict"] or "",
    )


def _spent(told: Told) -> Iterator[Spent]:
    forecasts = {(row["project"], row["use_case"], row["currency"]): row["forecast"] for row in told.forecasts}
    for row in told.spent:
        month, _, _, budget = forecasts.get((row["project"], row["use_case"], row["currency"])) or (None,) * 4
        is_known = row["calls_before"] and not row["unpriced_before"]
        yield Spent(
            project=row["project"],
            use_case=row["use_case"],
            currency=row["currency"],
            calls=int(row["calls"]),
            unpriced=int(row["unpriced"]),
            cost=row["cost"],
            before=row["cost_before"] if is_known else None,
            month=month,
            budget=budget,
        )


def _decisions(told: Told, pages: Sequence[Page]) -> Iterator[Decision]:
    for page in pages:
        about = {"project": page.project, "use_case": page.use_case}
        name = page.incident[:12]
        if page.is_open and not page.taken_by:
            yield Decision(**about, what="a page that nobody has taken", command=f"tocsin alerts ack {name}")
        elif not page.is_open and not page.verdict:
            command = f"tocsin alerts ack {name} --verdict actionable"
            yield Decision(**about, what="was this page worth it? (or --verdict noise)", command=command)
    for row in told.guards:
        state = row["state_in_force"]
        if state not in ("", "normal"):
            what = f"its guard is at {state} since {row['since_in_force']:%Y-%m-%d}: {row['cause_in_force']}"
            yield Decision(**_about(row), what=what, command=f"tocsin guard release {_named(row)}")
    for row in told.releases:
        if row["is_in_use"] and row["compared_with"] and not row["accepted_by"]:
            version = " ".join(row[name] for name in ("model_version", "prompt_version") if row[name])
            what = f"{version or 'a version without a name'} answers, and nobody has accepted it"
            yield Decision(**_about(row), what=what, command=f"tocsin release accept {_named(row)}")
    for row in told.retraining:
        yield Decision(
            **_about(row), what=f"retraining {row['warning']}", command=f"tocsin retraining --use-case {_named(row)}"
        )


def _about(row: Row) -> dict[str, str]:
    return {"project": row["project"], "use_case": row["use_case"]}


def _named(row: Row) -> str:
    name = shlex.quote(row["use_case"])
    return name if row["project"] == "default" else f"{name} --project {shlex.quote(row['project'])}"

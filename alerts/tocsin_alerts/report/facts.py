"""What the store knows of a use case, as far as the five questions ask for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

from tocsin_alerts.channels import Channel, LogChannel
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.rule import Rule

RECENT: Final = timedelta(days=28)
_ITSELF: Final = "tocsin"  # group of the rules by which tocsin watches itself
_FRESH: Final = timedelta(days=3)  # slots of quality: daily, and one may be under way


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A measure of quality that rests on what turned out to be true."""

    evaluator: str
    slot: datetime
    value: float
    lower: float | None
    upper: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A channel that pages of a use case go to, and when it last took something."""

    channel: str
    at: datetime | None  # None: never
    by: str = ""  # a page, a message, a test


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the five questions are answered from. Counts are of the last 28 days, unless they say otherwise."""

    plan: Plan
    is_planned: bool
    calls: int = 0  # of the model
    confident: int = 0
    unpriced: int = 0
    cost: Mapping[str, float] = field(default_factory=dict)  # what is known of it, by currency
    days: float = 0.0  # from the first of these calls on
    last_call: datetime | None = None  # the hour of it, however long ago
    reference_until: datetime | None = None  # None: nothing is frozen
    verified: Sequence[Verified] = ()  # at their newest slots
    page_rules: Sequence[str] = ()  # that apply to its plan
    guard_rules: Sequence[str] = ()  # of them, those that trip the guard
    failing_rules: Sequence[str] = ()
    channels: Sequence[Reached] = ()
    bar: float | None = None  # confidence below which "verify" sends an answer to a person
    fallback_calls: int = 0  # ever
    probes: int = 0  # ever
    flipped_at: datetime | None = None
    flipped_by: str = ""
    retraining: Mapping[str, Any] = field(default_factory=dict)  # as RetrainingBook.status says it


def gather(
    query: Query,
    *,
    plans: Plans,
    rules: Sequence[Rule],
    channels: Sequence[Channel],
    retraining: Sequence[Mapping[str, Any]],
    failing: Sequence[str],
    at: datetime,
    only: tuple[str, str] | None = None,
) -> list[Facts]:
    """Read the facts of every use case that has calls or a plan, in order of their names.

    Args:
        query: The store.
        plans: Theirs.
        rules: Those in force.
        channels: Of ``tocsin.yaml``.
        retraining: As :meth:`tocsin_alerts.retraining.book.RetrainingBook.status` says it.
        failing: Names of rules whose latest run failed.
        at: Now, on the clock of the calls.
        only: One (project, use case).
    """
    until = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    calls = _grouped(query.rows(statement("calls"), {"since": until - RECENT, "until": until}))
    quality = _grouped(query.rows(statement("quality"), {"since": at - _FRESH, "until": at}))
    bars = _grouped(query.rows(statement("bars")))
    flips = _grouped(query.rows(statement("flips")))
    references = _grouped(query.rows(statement("references")))
    reached = {row["channel"]: row for row in query.rows(statement("reached"))}
    triggers = _grouped(retraining)
    known = {*calls, *((plan.project, plan.use_case) for plan in plans)}
    found = []
    for key in sorted(known if only is None else known & {only}):
        plan = plans.get(*key)
        pages = [
            rule for rule in rules if rule.text.severity == "page" and rule.applies_to(plan) and watches_calls(rule)
        ]
        [flip] = flips.get(key) or [{"flipped_at": None, "flipped_by": ""}]
        [reference] = references.get(key) or [{"ends": None}]
        found.append(
            Facts(
                plan=plan,
                is_planned=plans.is_declared(*key),
                **_calls(calls.get(key, ()), until),
                verified=tuple(_verified(row) for row in quality.get(key, ())),
                bar=(bars.get(key) or [{"bar": None}])[0]["bar"],
                reference_until=reference["ends"],
                page_rules=tuple(rule.name for rule in pages),
                guard_rules=tuple(rule.name for rule in rules if rule.text.guard and rule.applies_to(plan)),
                failing_rules=tuple(rule.name for rule in pages if rule.name in failing),
                channels=tuple(_reached(each, reached) for each in channels if takes_pages(each, plan)),
                flipped_at=flip["flipped_at"],
                flipped_by=flip["flipped_by"],
                retraining=(triggers.get(key) or [{}])[0],
            )
        )
    return found


def watches_calls(rule: Rule) -> bool:
    """Whether a rule is about use cases, and not about tocsin itself."""
    return rule.text.group != _ITSELF


def takes_pages(channel: Channel, plan: Plan) -> bool:
    """Whether a page of this plan's use case goes to a channel where somebody is reached: a log reaches nobody."""
    named = plan.routes.page
    return not isinstance(channel, LogChannel) and (channel.name in named if named else "page" in channel.severities)


def _reached(channel: Channel, known: Mapping[str, Mapping[str, Any]]) -> Reached:
    row = known.get(channel.name, {"reached_at": None, "by": ""})
    return Reached(channel=channel.name, at=row["reached_at"], by=row["by"])


def _calls(rows: Sequence[Mapping[str, Any]], until: datetime) -> dict[str, Any]:
    made = sum(row["made"] for row in rows)
    first = min((row["first_hour"] for row in rows if row["made"]), default=until)
    last = max((row["last_hour"] for row in rows), default=None)
    return {
        "calls": int(made),
        "confident": int(sum(row["confident"] for row in rows)),
        "unpriced": int(sum(row["unpriced"] for row in rows)),
        "cost": {row["in_currency"]: row["cost"] for row in rows if row["in_currency"]},
        "days": (until - first) / timedelta(days=1),
        "last_call": last if last and last.year > 1970 else None,
        "fallback_calls": int(sum(row["by_fallback"] for row in rows)),
        "probes": int(sum(row["probes"] for row in rows)),
    }


def _verified(row: Mapping[str, Any]) -> Verified:
    names = ("evaluator", "slot", "value", "lower", "upper")
    return Verified(**{name: row[name] for name in names}, n=int(row["n"]))


def _grouped(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["project"], row["use_case"]), []).append(row)
    return found


@cache
def statement(name: str) -> str:
    """Give the text of ``report/NAME.sql``."""
    return resources.files("tocsin_alerts").joinpath("report", f"{name}.sql").read_text(encoding="utf-8")

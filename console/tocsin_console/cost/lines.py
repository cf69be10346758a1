"""The bill of a use case, line by line, each with its source; what is unknown says why. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Literal

from tocsin_console.review.estimate import wilson

LEAST_LABELS: Final = 30
MONTH_DAYS: Final = 30
Grows = Literal["calls", "days"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the bill."""

    name: str
    amount: float | None  # None: unknown
    at_least: float  # what is known of it
    currency: str
    quantity: float | None  # calls or minutes
    unit: str
    source: str  # where the number comes from
    unknown_because: str = ""
    grows_with: Grows = "calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What an hour costs, as the plan says; None: it does not say."""

    review: Decimal | None = None
    support: Decimal | None = None
    incident: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many answers are right."""

    value: float | None  # None: too few labels
    lower: float | None
    upper: float | None
    n: int
    source: str


def with_again(calls: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Take what users asked again out of what was asked once, currency by currency."""
    nothing = {"regenerations": 0, "regenerations_unpriced": 0, "regeneration_cost": 0.0}
    found = {row["in_currency"]: row for row in again}
    made = []
    for row in calls:
        part = {**nothing, **found.get(row["in_currency"], {})}
        once = {
            "first_cost": row["first_cost"] - part["regeneration_cost"],
            "first_unpriced": row["first_unpriced"] - part["regenerations_unpriced"],
        }
        made.append({**row, **part, **once})
    return made


def bill(
    calls: Sequence[Mapping[str, Any]],
    minutes: Mapping[str, Any],
    incidents: Mapping[str, Any],
    judged: Sequence[Mapping[str, Any]],
    rates: Rates,
) -> list[Line]:
    """Write the bill of rows as ``sql/cost_*.sql`` give them."""
    return [
        *_calls(calls),
        *(_judge(judged) or [_not_judged(rates.currency)]),
        _people(
            "review",
            count=minutes["reviews"],
            untimed=minutes["reviews_untimed"],
            spent=minutes["review_minutes"],
            rate=rates.review,
            rates=rates,
            key="rates.review_per_hour",
            source="minutes of outcomes of kind review",
            grows="days",
        ),
        _support(minutes, rates),
        _people(
            "incidents",
            count=incidents["incidents"],
            untimed=incidents["unacknowledged"],
            spent=incidents["incident_minutes"],
            rate=rates.incident,
            rates=rates,
            key="rates.incident_per_hour",
            source="from acknowledging a page to its end",
            grows="days",
            lacking="{untimed} of {count} were never acknowledged, so nobody knows how long they took",
        ),
    ]


def share_right(rows: Sequence[Mapping[str, Any]]) -> Share:
    """Give the share of right answers by ground truth, or by weighted reviews where there is too little of it."""
    found = {row["kind"]: row for row in rows}
    for kind in ("ground_truth", "review"):
        row = found.get(kind)
        if row is not None and row["labels"] >= LEAST_LABELS:
            value = row["right_sum"] / row["weight_sum"]
            lower, upper = wilson(value, row["weight_sum"] ** 2 / row["squares"])
            return Share(value=value, lower=lower, upper=upper, n=int(row["labels"]), source=f"outcomes of kind {kind}")
    n = max((int(row["labels"]) for row in found.values()), default=0)
    return Share(value=None, lower=None, upper=None, n=n, source=f"{n} of the {LEAST_LABELS} verdicts that it takes")


def totals(lines: Sequence[Line]) -> list[Line]:
    """Add up, currency by currency: unknown when a line is."""
    made = []
    for currency in sorted({line.currency for line in lines if line.at_least or line.amount}) or [""]:
        own = [line for line in lines if line.currency == currency or (line.amount is None and not line.currency)]
        unknown = [line.name for line in own if line.amount is None]
        known = sum(line.at_least for line in own)
        made.append(
            Line(
                name="total",
                amount=None if unknown else known,
                at_least=known,
                currency=currency,
                quantity=None,
                unit="",
                source="the lines above",
                unknown_because=f"unknown: {', '.join(unknown)}" if unknown else "",
            )
        )
    return made


def projected(lines: Sequence[Line], *, calls: float, days: float, calls_per_month: float) -> list[Line]:
    """Project a month: what grows with the calls by the calls, what people do each week by the days."""
    made = []
    for line in lines:
        factor = MONTH_DAYS / days if line.grows_with == "days" else calls_per_month / calls if calls else None
        if factor is None:
            made.append(replace(line, amount=None, at_least=0.0, unknown_because="no calls to project from"))
            continue
        made.append(
            replace(
                line,
                amount=None if line.amount is None else line.amount * factor,
                at_least=line.at_least * factor,
                quantity=None if line.quantity is None else line.quantity * factor,
            )
        )
    return made


def _calls(rows: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    names = (
        ("calls", "first", "price of each call, asked once"),
        ("transport retries", "retries", "price of calls whose attempt is above 1"),
        ("regenerations", "regenerations", "price of calls that repeat the user's last within 10 minutes"),
    )
    priced = [row for row in rows if row["in_currency"]]
    for name, key, source in names:
        stem = {"first": "first", "retries": "retry", "regenerations": "regeneration"}[key]
        unpriced = sum(row[f"{key}_unpriced"] for row in rows)
        because = "" if rows else "no calls in this time"
        if unpriced:
            because = f"{unpriced:,.0f} of them have no price: see 'tocsin prices ls'"
        if key == "regenerations" and not sum(row["in_sessions"] for row in rows):
            because = "no call carries a session (session.id), so nobody knows who asked again"
        for currency, own in [(row["in_currency"], [row]) for row in priced] or [("", list(rows))]:
            cost = float(sum(row[f"{stem}_cost"] for row in own))
            yield Line(
                name=name,
                amount=None if because else cost,
                at_least=cost,
                currency=currency,
                quantity=float(sum(_count(row, key) for row in own)) if rows else None,
                unit="calls",
                source=source,
                unknown_because=because,
            )


def _count(row: Mapping[str, Any], key: str) -> float:
    return float(row["calls"] - row["retries"] - row["regenerations"] if key == "first" else row[key])


def _judge(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    return [
        Line(
            name="judge",
            amount=row["judge_cost"],
            at_least=row["judge_cost"],
            currency=row["in_currency"],
            quantity=float(row["asked"]),
            unit="calls",
            source="tokens that the judge's model reported"
            + (f"; {row['asked_unpriced']} whose answer never came as reserved" if row["asked_unpriced"] else ""),
            grows_with="days",
        )
        for row in rows
    ]


def _not_judged(currency: str) -> Line:
    said = "no judge was asked"
    return Line(name="judge", amount=0.0, at_least=0.0, currency=currency, quantity=0.0, unit="calls", source=said)


def _support(minutes: Mapping[str, Any], rates: Rates) -> Line:
    line = _people(
        "support",
        count=minutes["contacts"],
        untimed=minutes["contacts_untimed"],
        spent=minutes["support_minutes"],
        rate=rates.support,
        rates=rates,
        key="rates.support_per_hour",
        source="minutes of outcomes of kind support",
        grows="calls",
    )
    if minutes["contacts_ever"]:
        return line
    return replace(
        line,
        amount=None,
        quantity=None,
        unknown_because="no support contact was ever recorded: see tocsin.record_support_contact",
    )


def _people(
    name: str,
    *,
    count: int,
    untimed: int,
    spent: float,
    rate: Decimal | None,
    rates: Rates,
    key: str,
    source: str,
    grows: Grows,
    lacking: str = "{untimed} of {count} say no minutes",
) -> Line:
    because = lacking.format(untimed=untimed, count=count) if untimed else ""
    if rate is None and count:
        because = f"the plan has no {key}" + (f", and {because}" if because else "")
    known = 0.0 if rate is None else float(spent) / 60 * float(rate)
    return Line(
        name=name,
        amount=None if because else known,
        at_least=known,
        currency=rates.currency,
        quantity=None if untimed else float(spent),
        unit="minutes",
        source=f"{source}, times {key}",
        unknown_because=because,
        grows_with=grows,
    )

"""Whom an incident concerns, what it costs, and what was set off: looked up from its beginning to a slot."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from tocsin_alerts.message import Impact, Money, Retraining
from tocsin_alerts.ports import Query


def impact_of(query: Query, *, project: str, use_case: str, since: datetime, slot: datetime) -> Impact:
    """Count calls, people and money; the caller bounds the time.

    Args:
        query: The store.
        project: Of the incident.
        use_case: Of the incident.
        since: When it began; money is counted by the hour.
        slot: Nothing after it is looked at.
    """
    stream = {"project": project, "use_case": use_case, "since": since, "slot": slot}
    rows = query.rows(_sql("impact"), stream)
    named = query.rows(_sql("users"), {"project": project, "use_case": use_case, "slot": slot})
    return Impact(
        since=since,
        calls=sum(int(row["all_calls"]) for row in rows),
        users=int(named[0]["users"]) or None if named else None,
        money=tuple(
            Money(currency=row["in_currency"], spent=float(row["spent"]), unpriced=int(row["without_price"]))
            for row in rows
        ),
    )


def retraining_of(query: Query, *, project: str, use_case: str, since: datetime, slot: datetime) -> Retraining:
    """Look up the last retraining that was set off since an incident began; without one its state is empty."""
    rows = query.rows(_sql("retraining"), {"project": project, "use_case": use_case, "since": since, "slot": slot})
    return _retraining(rows[0]) if rows else Retraining(state="", action="", slot=None, said="")


def _retraining(row: Mapping[str, Any]) -> Retraining:
    slot = row["slot"] if row["slot"].tzinfo else row["slot"].replace(tzinfo=UTC)
    return Retraining(state=row["state"], action=row["action"], slot=slot, said=row["said"])


def _sql(name: str) -> str:
    return resources.files("tocsin_alerts").joinpath("evidence", f"{name}.sql").read_text(encoding="utf-8")

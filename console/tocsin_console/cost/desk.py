"""Reads what the bill of a use case is made of."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin_alerts.plan import Plans
from tocsin_console.cost.lines import Rates, bill, projected, share_right, totals, with_again
from tocsin_console.errors import UsageProblem
from tocsin_console.review.draw import Store
from tocsin_console.statements import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDesk:
    """The bills of one store. One request at a time."""

    store: Store
    plans: Plans
    clock: Callable[[], datetime]
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def bills(self, project: str, use_case: str, *, days: int, calls_per_month: float | None = None) -> dict[str, Any]:
        """Write the bill of one use case, or of each that has calls.

        Args:
            project: Theirs.
            use_case: One, or empty for all of the project's.
            days: How far back calls are looked at.
            calls_per_month: Where given, each bill is projected to a month with so many calls.

        Raises:
            UsageProblem: the days are none.
        """
        since, until = self.span(days)
        with self._one_at_a_time:
            names = [use_case] if use_case else self._with_calls(project)
            made = [self._bill(project, name, since, until, calls_per_month) for name in names]
        return {"since": since, "until": until, "days": days, "calls_per_month": calls_per_month, "bills": made}

    def span(self, days: int) -> tuple[datetime, datetime]:
        """Give the time that a bill of so many days is of, up to the end of the hour that goes on.

        Raises:
            UsageProblem: the days are none.
        """
        if not 1 <= days <= 400:
            raise UsageProblem(f"expected 1 to 400 days, got {days}")
        until = self.clock().astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return until - timedelta(days=days), until

    def _with_calls(self, project: str) -> list[str]:
        known = self.store.rows(statement("known_use_cases"))
        return sorted(row["use_case"] for row in known if row["project"] == project)

    def _bill(
        self, project: str, use_case: str, since: datetime, until: datetime, calls_per_month: float | None
    ) -> dict[str, Any]:
        frame = {"project": project, "use_case": use_case, "since": since, "until": until}
        calls = with_again(
            self.store.rows(statement("cost_calls"), frame), self.store.rows(statement("cost_again"), frame)
        )
        plan = self.plans.get(project, use_case)
        currencies = {row["in_currency"] for row in calls if row["in_currency"]}
        rates = Rates(
            review=plan.rates.review_per_hour,
            support=plan.rates.support_per_hour,
            incident=plan.rates.incident_per_hour,
            currency=plan.budget.currency or (currencies.pop() if len(currencies) == 1 else ""),
        )
        lines = bill(
            calls,
            self.store.rows(statement("cost_minutes"), frame)[0],
            self.store.rows(statement("cost_incidents"), frame)[0],
            self.store.rows(statement("cost_judge"), frame),
            rates,
        )
        asked = float(sum(row["calls"] - row["retries"] - row["regenerations"] for row in calls))
        answered = float(sum(row["answered"] for row in calls))
        share = share_right(self.store.rows(statement("cost_right"), frame))
        if calls_per_month is not None:
            days = (until - since).total_seconds() / 86_400
            lines = projected(lines, calls=asked, days=days, calls_per_month=calls_per_month)
            answered = answered / asked * calls_per_month if asked else 0.0
        added = totals(lines)
        correct = None if share.value is None else answered * share.value
        return {
            "project": project,
            "use_case": use_case,
            "calls": asked,
            "lines": [asdict(line) for line in lines],
            "totals": [asdict(line) for line in added],
            "right": asdict(share),
            "correct_answers": correct,
            "per_correct_answer": [
                {
                    "currency": line.currency,
                    "amount": line.amount / correct if correct and line.amount is not None else None,
                    "at_least": line.at_least / correct if correct else None,
                }
                for line in added
            ],
        }

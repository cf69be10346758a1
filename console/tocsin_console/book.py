"""What the store knows, as the API and the page show it."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from tocsin_alerts.plan import Plans
from tocsin_alerts.records import Sample
from tocsin_alerts.status import UseCaseStatus
from tocsin_console.statements import statement

_SAMPLE = ("value", "lower", "upper", "baseline", "n", "slot")


class Query(Protocol):
    """The store as the book reads it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT with bound parameters."""
        ...


class Book:
    """Answers the questions of the API, one at a time."""

    def __init__(
        self,
        query: Query,
        plans: Plans,
        statuses: Callable[[], Sequence[UseCaseStatus]],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._query = query
        self._now = now
        self._contradictory: dict[tuple[str, str], dict[str, Any]] = {}
        self._contradictory_until: datetime | None = None
        self._plans = plans
        self._statuses = statuses
        self._one_at_a_time = threading.Lock()

    def ask(self, name: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run one of the console's own statements."""
        return self.rows(statement(name), parameters)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run a statement of another package."""
        with self._one_at_a_time:
            return self._query.rows(sql, parameters or {})

    def standings(self) -> list[dict[str, Any]]:
        """Say of each use case the verdict, its guard and its latest drill; planned ones without calls too. Counts nothing."""
        guards = _by_key(self.ask("guard_latest"))
        drills = _by_key(self.ask("drills_latest"))
        return [
            self._standing(status, guards.get((status.project, status.use_case)))
            | {"drill": drills.get((status.project, status.use_case))}  # the latest; None: there was none
            for status in self._statuses()
        ]

    def use_cases(self) -> list[dict[str, Any]]:
        """Say as :meth:`standings`, and what is known and what is missing of each use case's calls and outcomes."""
        known = _by_key(self.ask("use_cases"))
        outcomes = _by_key(self.ask("outcome_counts"))
        contradictory = self._count_contradictory()
        return [
            each | _counts(known.get(_key(each), {}), outcomes.get(_key(each), {}), contradictory.get(_key(each), {}))
            for each in self.standings()
        ]

    def alerts(self, *, everything: bool = False, use_case: str = "") -> list[dict[str, Any]]:
        """List the alerts that are active or cannot be evaluated; all that ever were on request."""
        return self.ask("alerts", {"all": int(everything), "use_case": use_case})

    def history(
        self, since: datetime, *, use_case: str = "", rule: str = "", most: int = 1_000
    ) -> list[dict[str, Any]]:
        """List incidents that began since a time, or are still open, the latest first."""
        return self.ask("alert_history", {"since": since, "use_case": use_case, "rule": rule, "most": most})

    def notifications(self, incident: str = "") -> list[dict[str, Any]]:
        """List the outbox, or the notifications of one incident."""
        return self.ask("notifications", {"incident": incident})

    def recent_calls(self, after: datetime, limit: int) -> list[dict[str, Any]]:
        """List the calls that arrived last, each with what it lacks."""
        found = self.ask("recent_calls", {"after": after, "limit": limit})
        for call in found:
            plan = self._plans.get(call["project"], call["use_case"])
            lacking = {
                "confidence": call["confidence"] is None,
                "outcome": not call["has_outcome"],
                "owner": plan.owner is None,
                "answer": not call["output_label"] and call["output_value"] is None,
                "cost": call["cost"] is None,
            }
            call["missing"] = [name for name, lacks in lacking.items() if lacks]
        return found

    def call(self, use_case: str, call_id: str) -> dict[str, Any] | None:
        """Find one call."""
        found = self.ask("call", {"use_case": use_case, "call_id": call_id})
        return found[0] if found else None

    def _count_contradictory(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Count contradictory outcomes, which goes through all of them: kept for fifty times as long as that took."""
        began = self._now()
        if self._contradictory_until is None or began >= self._contradictory_until:
            self._contradictory = _by_key(self.ask("contradictory_counts"))
            ended = self._now()
            self._contradictory_until = ended + 50 * (ended - began)
        return self._contradictory

    def _standing(self, status: UseCaseStatus, guard: Mapping[str, Any] | None) -> dict[str, Any]:
        plan = self._plans.get(status.project, status.use_case)
        return {
            "project": status.project,
            "use_case": status.use_case,
            "verdict": status.verdict,
            "reason": status.reason,
            "calls": status.calls,
            "first_hour": status.first_hour,
            "last_hour": status.last_hour,
            "accuracy": _sample(status.accuracy),
            "estimate": _sample(status.estimate),
            "guard": guard["state_in_force"] or "normal" if guard else "normal",
            "alerts": [
                {
                    "rule": each.rule,
                    "labels": each.labels,
                    "severity": each.severity,
                    "state": each.status.state,
                    "since": each.status.since,
                    "incident": each.incident,
                }
                for each in status.alerts
            ],
            "has_plan": self._plans.is_declared(status.project, status.use_case),
            "owner": plan.owner,
            "floor": plan.quality.floor,
            "unanswered": [question.text for question in plan.unanswered()],
        }


def _counts(row: Mapping[str, Any], outcome: Mapping[str, Any], contradictory: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "calls": int(row.get("calls_made", 0)),
        "calls_with_confidence": int(row.get("calls_confident", 0)),
        "calls_without_cost": int(row.get("calls_unpriced", 0)),
        "calls_failed": int(row.get("calls_failed", 0)),
        "calls_by_fallback": int(row.get("calls_fallback", 0)),
        "outcomes": int(outcome.get("outcomes_known", 0)),
        "outcomes_contradictory": int(contradictory.get("calls_contradictory", 0)),  # calls
        "first_hour": row.get("first_hour"),
        "last_hour": row.get("last_hour"),
        "model_versions": list(row.get("model_versions", [])),
    }


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["project"]), str(row["use_case"])


def _by_key(rows: Iterable[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {_key(row): row for row in rows}


def _sample(sample: Sample | None) -> dict[str, Any] | None:
    return None if sample is None else {name: getattr(sample, name) for name in _SAMPLE}

"""Looks up what a night would cost: evidence, last week's hours, the guard; and decides by it, not more often than is worth it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from tocsin_alerts.briefing import Findings, GuardNews
from tocsin_alerts.incidents import Incident, Member
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.plan import Plan
from tocsin_alerts.ports import Query
from tocsin_alerts.quieting import Quiet
from tocsin_alerts.records import GuardState
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.waking import WEEK, Night, excess_error, has_failed, morning, rests

_AGAIN: Final = timedelta(minutes=5)  # after which the night is estimated anew
_HOUR: Final = timedelta(hours=1)


class Nights:
    """Decides of each incident whether its pages may rest.

    Args:
        query: For last week's hours.
        rules: Those in force.
        findings: Looks up the evidence of an incident.
        guard: What the guard does about one.
    """

    def __init__(
        self,
        query: Query,
        rules: RuleBook,
        *,
        findings: Callable[[Incident, list[Member]], Findings],
        guard: Callable[[Incident], GuardNews],
    ) -> None:
        self._query = query
        self._rules = rules
        self._findings = findings
        self._guard = guard
        self._known: dict[
            str, tuple[datetime, int, Night]
        ] = {}  # by incident: when it was looked up, of how many pages

    def rest(self, incident: Incident, plan: Plan, pages: list[Member], *, now: datetime) -> Quiet | None:
        """Say why the pages of an incident need not wake anybody; None: they have to, or people work.

        Raises:
            Exception: the store failed.
        """
        until = morning(plan, now)
        if until is None or not pages:
            self._known.pop(incident.id, None)
            return None
        guard = self._guard(incident)
        failed = has_failed(plan, guard, pages, self._rules)
        return rests(plan, self._estimate(incident, pages, now, until), guard=guard, failed=failed)

    def in_force(self, incident: Incident) -> GuardState:
        """Say what the guard of its use case serves."""
        return self._guard(incident).in_force

    def of(self, incident: str, *, now: datetime) -> Night | None:
        """Give the estimate of an incident; None: people work, nobody said when, or it is of earlier in the night."""
        known = self._known.get(incident)
        return known[2] if known and now - known[0] <= _AGAIN and now < known[2].until else None

    def _estimate(self, incident: Incident, pages: list[Member], now: datetime, until: datetime) -> Night:
        known = self._known.get(incident.id)
        is_fresh = known is not None and known[1] == len(pages) and known[2].until == until and now - known[0] < _AGAIN
        if known is None or not is_fresh:
            excess = excess_error(self._findings(incident, pages), pages, self._rules)
            night = Night(until=until, excess=excess, calls=self._expected(incident, now, until))
            known = self._known[incident.id] = (now, len(pages), night)
        return known[2]

    def _expected(self, incident: Incident, now: datetime, until: datetime) -> float | None:
        """Expect what the same hours of last week had; None without a week of calls."""
        since = now.replace(minute=0, second=0, microsecond=0) - WEEK
        asked = {"project": incident.project, "use_case": incident.use_case, "since": since, "until": until - WEEK}
        found = self._query.rows(statement("expected_calls"), asked)
        if not found or not found[0]["hours"] or found[0]["first_hour"] > since + _HOUR:
            return None
        return float(found[0]["expected"])

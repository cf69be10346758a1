"""Answers the five questions and puts the week together, from the store and the other desks."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin_alerts.channels import Channel
from tocsin_alerts.documents import suggest
from tocsin_alerts.plan import Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.report.facts import gather, watches_calls
from tocsin_alerts.report.facts import statement as own
from tocsin_alerts.report.readiness import document, readiness
from tocsin_alerts.report.weekly import WEEK, Told, Week, weekly
from tocsin_alerts.retraining.book import RetrainingBook
from tocsin_alerts.rules import RuleBook
from tocsin_console.book import Book
from tocsin_console.checkup import TEST_USE_CASE
from tocsin_console.errors import UsageProblem
from tocsin_console.reference_desk import ReferenceDesk
from tocsin_console.review.desk import ReviewDesk
from tocsin_console.statements import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDesk:
    """What is reported of one store. One request at a time."""

    store: Query
    plans: Plans
    rules: RuleBook
    channels: Sequence[Channel]
    book: Book
    retraining: RetrainingBook
    references: ReferenceDesk
    reviews: ReviewDesk
    clock: Callable[[], datetime]
    now: Callable[[], datetime]
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def readiness(self, project: str = "", use_case: str = "") -> list[dict[str, Any]]:
        """Answer the five questions of one use case, or of each that has calls or a plan.

        Raises:
            UsageProblem: there is no such use case.
        """
        found = self._readiness()
        listed = found if use_case else _without_tests(found)
        wanted = [each for each in listed if project in ("", each["project"]) and use_case in ("", each["use_case"])]
        if use_case and not wanted:
            known = suggest(use_case, sorted({each["use_case"] for each in found}))
            raise UsageProblem(f"expected a use case with calls or a plan, got {use_case!r}: {known}")
        return wanted

    def week(self, until: datetime | None = None) -> Week:
        """Put seven days together, the last ones to the hour that goes on.

        Args:
            until: Their end, on the clock of the slots. What is to decide, off target and the five answers are as of now all the same.
        """
        if until is None:
            until = self.clock().astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        since, now = until - WEEK, self.now()
        slots = {"since": since, "until": until}
        days = {"since": now - WEEK, "until": now}
        standings = [
            {name: each[name] for name in ("project", "use_case", "week", "size", "scored")}
            for each in self.reviews.standings()
        ]
        answers = self._readiness()
        with self._one_at_a_time:
            told = Told(
                pages=self.store.rows(own("pages"), slots),
                fired=self.store.rows(own("fired"), slots),
                spent=_without_tests(self.store.rows(own("spent"), slots)),
                forecasts=self.store.rows(own("forecasts"), {"since": until - timedelta(days=3), "until": until}),
                minutes=self.store.rows(own("minutes"), days),
                use_cases=_without_tests(self.book.use_cases()),
                retraining=self.retraining.warnings(),
                releases=self.references.listed(),
                guards=self.book.ask("guard_latest"),
                reviews=standings,
                rules=[(rule.name, rule.text.severity) for rule in self.rules if watches_calls(rule)],
                readiness=_without_tests(answers),
            )
        return weekly(told, since=since, until=until, now=now)

    def _readiness(self) -> list[dict[str, Any]]:
        at, now = self.clock(), self.now()
        with self._one_at_a_time:
            facts = gather(
                self.store,
                plans=self.plans,
                rules=list(self.rules),
                channels=self.channels,
                retraining=self.retraining.status(),
                failing=[row["rule"] for row in self.store.rows(statement("failing_rules"))],
                at=at,
            )
        return [document(readiness(each, at=at, now=now)) for each in facts]


def _without_tests(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what ``tocsin send-test`` sent: nobody owns it."""
    return [row for row in rows if row["use_case"] != TEST_USE_CASE]


def as_document(week: Week) -> dict[str, Any]:
    """Write the week as a document."""
    off_target = [
        {name: each[name] for name in ("project", "use_case", "verdict", "reason")} for each in week.off_target
    ]
    return {
        **asdict(week),
        "off_target": off_target,
        "judged": week.judged,
        "actionable": week.actionable,
        "actionable_share": week.actionable_share,
    }

"""Answers the five questions of each use case from the store."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tocsin_alerts.channels import Channel
from tocsin_alerts.documents import suggest
from tocsin_alerts.plan import Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.report.facts import gather
from tocsin_alerts.report.readiness import document, readiness
from tocsin_alerts.retraining.book import RetrainingBook
from tocsin_alerts.rules import RuleBook
from tocsin_console.errors import UsageProblem
from tocsin_console.statements import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDesk:
    """What is reported of one store. One request at a time."""

    store: Query
    plans: Plans
    rules: RuleBook
    channels: Sequence[Channel]
    retraining: RetrainingBook
    clock: Callable[[], datetime]
    now: Callable[[], datetime]
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def readiness(self, project: str = "", use_case: str = "") -> list[dict[str, Any]]:
        """Answer the five questions of one use case, or of each that has calls or a plan.

        Raises:
            UsageProblem: there is no such use case.
        """
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
        wanted = [each for each in facts if project in ("", each.plan.project) and use_case in ("", each.plan.use_case)]
        if use_case and not wanted:
            known = suggest(use_case, sorted({each.plan.use_case for each in facts}))
            raise UsageProblem(f"expected a use case with calls or a plan, got {use_case!r}: {known}")
        return [document(readiness(each, at=at, now=now)) for each in wanted]

"""Whether a page was worth it, as people say: the one way in which a share of pages that called for something is known."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tocsin_alerts.audit import record
from tocsin_alerts.documents import suggest
from tocsin_alerts.errors import IncidentRefused
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.known_incidents import named, one_of
from tocsin_alerts.ports import Query

_MOMENT: Final = timedelta(milliseconds=1)
VERDICTS: Final = ("actionable", "noise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What somebody said of an incident. The last word counts."""

    incident: str
    project: str
    use_case: str
    verdict: str
    by: str
    at: datetime
    is_open: bool


class Verdicts:
    """What people said of incidents, open or over.

    Args:
        query: A client of its own.
        now: The time of day.
    """

    def __init__(self, query: Query, *, now: Callable[[], datetime]) -> None:
        self._query = query
        self._now = now
        self._one_at_a_time = threading.Lock()

    def record(self, beginning: str, verdict: str, *, by: str) -> Verdict:
        """Write down what somebody says of an incident.

        Args:
            beginning: The incident, or how its name begins.
            verdict: ``actionable``: somebody had to do something; ``noise``: nobody had to be told.
            by: A person.

        Raises:
            IncidentRefused: there is no such incident or verdict, or more than one incident.
        """
        if verdict not in VERDICTS:
            raise IncidentRefused(f"unknown verdict {verdict!r}: {suggest(verdict, VERDICTS)}")
        with self._one_at_a_time:
            incident = one_of(named(self._query, beginning), beginning)
            [before] = self._query.rows(statement("last_verdict"), {"incident": incident["incident"]})
            # Two verdicts of one moment would leave open which of them is the last word.
            at = max(self._now(), before["last"] + _MOMENT) if before["said"] else self._now()
            record(
                self._query,
                key=f"{by} {at.isoformat()}",
                at=at,
                actor=by,
                action="verdict",
                subject=incident["incident"],
                detail=verdict,
            )
        return Verdict(
            incident=incident["incident"],
            project=incident["project"],
            use_case=incident["use_case"],
            verdict=verdict,
            by=by,
            at=at,
            is_open=bool(incident["is_open"]),
        )

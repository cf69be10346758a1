"""Who takes an incident, and since when: what ends the question of whether anybody looks, and begins the minutes it costs."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tocsin_alerts.audit import record
from tocsin_alerts.errors import IncidentRefused
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.known_incidents import named, one_of
from tocsin_alerts.ports import Query

_MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """An incident that somebody took."""

    incident: str
    project: str
    use_case: str
    by: str  # who was first; later ones are in the audit log
    at: datetime
    note: str
    is_new: bool  # False: somebody had it already, and still has


class Acknowledgements:
    """The incidents that people took, over one store.

    Args:
        query: A client of its own.
        now: The time of day.
    """

    def __init__(self, query: Query, *, now: Callable[[], datetime]) -> None:
        self._query = query
        self._now = now
        self._one_at_a_time = threading.Lock()

    def acknowledge(self, beginning: str, *, by: str, note: str = "") -> Acknowledgement:
        """Take an open incident. The first to do so has it; the same person again changes nothing.

        Args:
            beginning: The incident, or how its name begins.
            by: A person.
            note: What they are about to do.

        Raises:
            IncidentRefused: there is no such incident, more than one, or it is over.
        """
        with self._one_at_a_time:
            found = self._find(beginning)
            taken = self._query.rows(statement("acknowledgements"), {"incident": found["incident"]})
            is_new = not taken
            if by not in {each["actor"] for each in taken}:
                at = max([self._now(), *(each["at"] + _MOMENT for each in taken)])  # first stays first
                taken = [*taken, {"actor": by, "at": at, "detail": note}]
                record(
                    self._query,
                    key=by,
                    at=at,
                    actor=by,
                    action="acknowledge",
                    subject=found["incident"],
                    detail=note,
                )
        first = taken[0]
        return Acknowledgement(
            incident=found["incident"],
            project=found["project"],
            use_case=found["use_case"],
            by=first["actor"],
            at=first["at"],
            note=first["detail"],
            is_new=is_new,
        )

    def _find(self, beginning: str) -> Mapping[str, Any]:
        found = named(self._query, beginning)
        still = [each for each in found if each["is_open"]]
        if found and not still:
            raise IncidentRefused(
                f"expected an incident that is open, but {found[0]['incident'][:12]} of {found[0]['use_case']} is over: "
                f"there is nothing left to take"
            )
        return one_of(still, beginning)


def is_taken(query: Query, incident: str) -> bool:
    """Whether somebody has acknowledged an incident."""
    return bool(query.rows(statement("acknowledgements"), {"incident": incident}))

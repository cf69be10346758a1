"""All collectors of a store, by what they write down about themselves: the oldest of them says what is complete."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from tocsin_collector.load.watermark import Watermark

SILENT_AFTER: Final = timedelta(minutes=10)  # then nobody waits for it
_FORGOTTEN_AFTER: Final = timedelta(days=7)  # a host that is gone for good
_MARKS: Final = (
    "SELECT collector, complete_to, data_complete_to, state, at FROM watermarks FINAL WHERE state != 'ended'"
)
_YEAR_ONE: Final = 1971  # a data clock of 0 is unknown


class Query(Protocol):
    """The store as this reads it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One collector."""

    name: str
    complete_to: datetime
    data_complete_to: datetime | None
    heard_at: datetime
    is_live: bool
    unfit: str  # why it cannot load anything; empty when it can


class Fleet:
    """Reads every collector's watermark; safe to use from several threads.

    Args:
        query: The store, not used by anybody else.
        now: The wall clock.
    """

    def __init__(self, query: Query, *, now: Callable[[], datetime]) -> None:
        self._query = query
        self._now = now
        self._lock = threading.Lock()

    def members(self) -> list[Member]:
        """List the collectors that have not ended, silent ones too.

        Raises:
            StoreUnavailable: ask again.
        """
        now = self._now()
        with self._lock:
            rows = self._query.rows(_MARKS)
        found = [
            Member(
                name=row["collector"],
                complete_to=row["complete_to"],
                data_complete_to=row["data_complete_to"] if row["data_complete_to"].year >= _YEAR_ONE else None,
                heard_at=row["at"],
                is_live=now - row["at"] < SILENT_AFTER,
                unfit=row["state"],
            )
            for row in rows
            if now - row["at"] < _FORGOTTEN_AFTER
        ]
        return sorted(found, key=lambda member: member.name)

    def silent(self) -> list[Member]:
        """List those that went without a word: what they hold is in no slot that was judged meanwhile."""
        return [member for member in self.members() if not member.is_live]

    def watermark(self) -> Watermark:
        """Say up to when everything is loaded that a live collector received; now, when there is none.

        Raises:
            StoreUnavailable: ask again.
        """
        live = [member for member in self.members() if member.is_live]
        ends = [member.data_complete_to for member in live if member.data_complete_to is not None]
        return Watermark(
            complete_to=min((member.complete_to for member in live), default=self._now()),
            data_complete_to=max(ends, default=None),
        )

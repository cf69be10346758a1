"""Which message of a chat stands for an incident: kept in the store, so that a restart changes it in place."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tocsin_alerts.journal_sql import statement
from tocsin_alerts.ports import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One message."""

    room: str
    ts: str


class ChatThreads:
    """The messages of incidents, over a store that is opened after channels are read."""

    def __init__(self, *, now: Callable[[], datetime], query: Query | None = None) -> None:
        self._query = query
        self._now = now
        self._one_at_a_time = threading.Lock()

    def open(self, query: Query) -> None:
        """Begin to keep them.

        Args:
            query: A client of its own.
        """
        self._query = query

    def find(self, channel: str, incident: str) -> Place | None:
        """Give the message of an incident; None where there is none."""
        with self._one_at_a_time:
            rows = self._opened().rows(statement("chat_thread"), {"channel": channel, "incident": incident})
        return Place(**rows[0]) if rows else None

    def keep(self, channel: str, incident: str, place: Place) -> None:
        """Remember the message of an incident; a later one replaces it."""
        row = {"channel": channel, "incident": incident, "room": place.room, "ts": place.ts, "at": self._now()}
        with self._one_at_a_time:
            self._opened().insert("chat_threads", [row])

    def _opened(self) -> Query:
        if self._query is None:
            raise RuntimeError("expected the store to be open before a message is sent")
        return self._query

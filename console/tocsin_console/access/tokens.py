"""Access keys of people and programs: the same table as ingest keys, read when somebody asks and at most every two seconds."""

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from tocsin_collector.receive.ingest_keys import INGEST, bare, hash_of, id_of
from tocsin_console.access.roles import Person, role_of

_FRESH_S: Final = 2.0
_NO_HASH: Final = "0" * 64


class Query(Protocol):
    """The store as keys are read."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...


class AccessKeys:
    """Whose key is shown, and what they may do."""

    def __init__(self, query: Query, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._query = query
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Mapping[str, Mapping[str, Any]] = {}
        self._read_at = -_FRESH_S

    def person(self, presented: str) -> Person | None:
        """Say who shows this; None: nobody who may.

        Raises:
            StoreUnavailable: the store does not answer, and nobody is let in on what it said before.
        """
        key = bare(presented)
        known = self._keys().get(id_of(key))
        proves = hmac.compare_digest(hash_of(key), str(known["hash"]) if known else _NO_HASH)
        return Person(name=str(known["name"]), role=role_of(known["role"])) if known and proves else None

    def _keys(self) -> Mapping[str, Mapping[str, Any]]:
        with self._lock:
            if self._clock() - self._read_at >= _FRESH_S:
                asked_at = self._clock()
                rows = self._query.rows(
                    "SELECT key_id, name, role, hash FROM ingest_keys FINAL WHERE role != {ingest:String} AND revoked_at IS NULL",
                    {"ingest": INGEST},
                )
                self._known, self._read_at = {row["key_id"]: row for row in rows}, asked_at
            return self._known

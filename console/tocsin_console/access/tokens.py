"""Access keys of people and programs: the same table as ingest keys, read when somebody asks and at most every two seconds."""

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from tocsin_collector.errors import CollectorError
from tocsin_collector.receive.ingest_keys import INGEST, bare, hash_of, id_of
from tocsin_console.access.roles import Person, role_of

_FRESH_S: Final = 2.0
_MAX_AGE_S: Final = 24 * 3600.0  # so long who was known may look while the store does not answer, as for ingest keys
_KEYS: Final = (
    "SELECT key_id, name, role, hash FROM ingest_keys FINAL WHERE role != {ingest:String} AND revoked_at IS NULL"
)
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
        self._read_at = -_MAX_AGE_S
        self._asked_at = -_FRESH_S
        self._is_current = False

    def person(self, presented: str) -> Person | None:
        """Say who shows this; None: nobody who may. While the store does not answer, whom it named before may look, and no more.

        Raises:
            StoreUnavailable: the store does not answer, and has not for a day.
        """
        key = bare(presented)
        keys, is_current = self._keys()
        known = keys.get(id_of(key))
        proves = hmac.compare_digest(hash_of(key), str(known["hash"]) if known else _NO_HASH)
        if not known or not proves:
            return None
        return Person(name=str(known["name"]), role=role_of(known["role"]) if is_current else "viewer")

    def _keys(self) -> tuple[Mapping[str, Mapping[str, Any]], bool]:
        with self._lock:
            if self._clock() - self._asked_at >= _FRESH_S:
                self._asked_at = self._clock()
                try:
                    rows = self._query.rows(_KEYS, {"ingest": INGEST})
                except CollectorError:
                    self._is_current = False
                    if self._asked_at - self._read_at >= _MAX_AGE_S:
                        raise
                else:
                    self._known = {row["key_id"]: row for row in rows}
                    self._read_at, self._is_current = self._asked_at, True
            return self._known, self._is_current

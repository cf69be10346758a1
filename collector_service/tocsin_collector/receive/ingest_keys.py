"""Which project a sender belongs to: by its ingest key, from a copy in memory that is at most two seconds old.

A key is ``tk_ID_SECRET``: the id finds the row, the hash of the whole proves it. The secret has 256 random bits, so nobody
can guess it from its hash: one BLAKE2b is enough. A slow hash such as bcrypt is for passwords that people choose, and
would let any sender cost us a tenth of a second of processor with each request.
"""

import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tocsin_collector.errors import CollectorError, Overloaded, Unauthenticated
from tocsin_collector.receive.admission import DEFAULT_PROJECT

PREFIX: Final = "tk_"
INGEST: Final = "ingest"  # the role of keys for sending
_log = logging.getLogger(__name__)
_PERIOD_S: Final = 1.5  # a revocation holds within this and a query's time, here and on every other collector
_MAX_AGE_S: Final = 24 * 3600.0  # how long what was last read still counts while the store does not answer
_RETRY_AFTER_S: Final = 2.0
_NO_HASH: Final = "0" * 64


class Query(Protocol):
    """The store as the ring reads it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """One key that is in force, or was."""

    project: str
    role: str
    hash: str
    is_revoked: bool


def hash_of(key: str) -> str:
    """Hash a whole key, as it is stored."""
    return hashlib.blake2b(key.encode(), digest_size=32, person=b"tocsin-ingest-1").hexdigest()


class IngestKeys:
    """The ring of known keys. A key that was shown is never part of a message, nor kept."""

    def __init__(
        self, query: Query, *, required: bool, period_s: float = _PERIOD_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare; nothing is read before :meth:`start`.

        Args:
            query: A client of the store that nobody else uses.
            required: Refuse who shows no key; else such a sender's project is ``default``.
            period_s: How often the store is read.
            clock: Seconds, ever rising.
        """
        self._query = query
        self._required = required
        self._period_s = period_s
        self._clock = clock
        self._known: Mapping[str, _Known] = {}
        self._read_at = -_MAX_AGE_S
        self._is_failing = False
        self._reading = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tocsin-keys", daemon=True)

    def start(self) -> None:
        """Read the keys, then go on reading them.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        self.refresh()
        if self._required and all(known.is_revoked or known.role != INGEST for known in self._known.values()):
            _log.warning(
                "ingest keys are required and none exists: everybody is refused until 'tocsin keys create PROJECT'"
            )
        self._thread.start()

    def stop(self) -> None:
        """Read no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def refresh(self) -> None:
        """Read the keys now: a key made or revoked in this process holds at once.

        Raises:
            StoreUnavailable: the store does not answer; what was known stays.
        """
        with self._reading:
            asked_at = self._clock()
            rows = self._query.rows("SELECT key_id, project, role, hash, revoked_at FROM ingest_keys FINAL")
            self._known = {
                row["key_id"]: _Known(
                    project=row["project"],
                    role=row["role"],
                    hash=row["hash"],
                    is_revoked=row["revoked_at"] is not None,
                )
                for row in rows
            }
            self._read_at = asked_at

    def project_of(self, presented: str | None, /) -> str:
        """Say whose a sender is.

        Args:
            presented: What came as ``authorization`` or ``x-tocsin-key``, with or without ``Bearer``; None: nothing did.

        Raises:
            Unauthenticated: a key is needed and none came, or what came is none of ours, or was revoked.
            Overloaded: the store has not said for a day which keys hold; try again.
        """
        if presented is None:
            if self._required:
                raise Unauthenticated(
                    "expected an ingest key, as 'authorization: Bearer tk_…' or 'x-tocsin-key: tk_…', got none: "
                    "make one with 'tocsin keys create PROJECT' and set OTEL_EXPORTER_OTLP_HEADERS or TOCSIN_KEY"
                )
            return DEFAULT_PROJECT
        key = bare(presented)
        known = self._known.get(id_of(key))
        proves = hmac.compare_digest(hash_of(key), known.hash if known else _NO_HASH)
        if self._clock() - self._read_at > _MAX_AGE_S:
            raise Overloaded(
                f"the store has not said for {_MAX_AGE_S / 3600:.0f} h which ingest keys hold: send this again",
                retry_after_s=_RETRY_AFTER_S,
            )
        if known is None or not proves:
            raise Unauthenticated(
                "expected an ingest key of this tocsin, got another text: compare with 'tocsin keys ls', make a new one "
                "with 'tocsin keys create PROJECT'"
            )
        if known.is_revoked:
            raise Unauthenticated(
                f"the ingest key {PREFIX}{id_of(key)}_… of project {known.project} was revoked: use a newer one, or make "
                f"one with 'tocsin keys create {known.project}'"
            )
        if known.role != INGEST:
            raise Unauthenticated(
                f"expected an ingest key, got one for access to the console ({known.role}): make one with 'tocsin keys create PROJECT'"
            )
        return known.project

    def _run(self) -> None:
        while not self._ended.wait(self._period_s):
            try:
                self.refresh()
            except CollectorError as error:  # what was known goes on to hold
                if not self._is_failing:
                    _log.warning("the ingest keys cannot be read; those known go on to hold: %s", error)
                self._is_failing = True
            else:
                self._is_failing = False


def bare(presented: str) -> str:
    """Give what was presented without ``Bearer``."""
    kind, _, rest = presented.strip().partition(" ")
    return rest.strip() if kind.lower() == "bearer" else presented.strip()


def id_of(key: str) -> str:
    """Give the part of a key that may be shown; empty when it is none."""
    parts = key.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] + "_" == PREFIX else ""

"""The books: every request and span received is stored, a duplicate, refused, dead-lettered, damaged, or waiting."""

import threading
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tocsin_collector.load.decoder import Kind

Fate: TypeAlias = Literal["received", "stored", "duplicate", "refused", "dead_lettered", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorStats:
    """What this process has taken in since it started; what waited in the spool then counts as received.

    received = stored + duplicate + refused + dead_lettered + damaged + waiting, in requests and in spans.
    """

    received_requests: int
    received_spans: int
    stored_requests: int
    stored_spans: int
    duplicate_requests: int
    duplicate_spans: int
    refused_requests: int
    refused_spans: int  # as far as they could be read: a malformed request counts none
    dead_lettered_requests: int
    dead_lettered_spans: int
    damaged_requests: int  # lost on the spool's disk after they were acknowledged
    damaged_spans: int  # as far as known
    keys_refused: int  # requests that showed no ingest key where one is needed, or a wrong one; refused, too
    waiting_requests: int
    waiting_spans: int
    received_outcomes: int
    stored_outcomes: int
    duplicate_outcomes: int
    refused_outcomes: int
    dead_lettered_outcomes: int
    damaged_outcomes: int
    waiting_outcomes: int
    received_logs: int  # log records
    stored_logs: int
    duplicate_logs: int
    refused_logs: int
    dead_lettered_logs: int
    damaged_logs: int
    waiting_logs: int
    values_cut: int  # longer than limits.max_value_bytes
    attributes_dropped: int  # beyond limits.max_attributes; events and links, too
    spool_bytes: int
    bytes_in_flight: int
    segments_loaded: int
    torn_tails: int  # files whose last write a crash had cut short
    torn_bytes: int
    damaged_files: int
    damaged_bytes: int
    strange_files: int  # in the spool's folder, but not the spool's, or not to be read
    load_errors: int
    last_error: str
    unfit: str  # why segments wait: tables that refuse everything, or lack something; empty when they do not


@dataclass(slots=True)
class _Book:
    requests: dict[Fate, int] = field(default_factory=dict)
    items: dict[Fate, int] = field(default_factory=dict)

    def balance(self, side: Literal["requests", "items"], fate: Fate) -> int:
        counts: dict[Fate, int] = getattr(self, side)
        return counts.get(fate, 0)

    def waiting(self, side: Literal["requests", "items"]) -> int:
        gone: tuple[Fate, ...] = ("stored", "duplicate", "refused", "dead_lettered", "damaged")
        return self.balance(side, "received") - sum(self.balance(side, fate) for fate in gone)


class Tally:
    """Counts from every thread, read as one consistent whole."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._books: dict[Kind, _Book] = {"traces": _Book(), "outcomes": _Book(), "logs": _Book()}
        self._spool_bytes = 0
        self._in_flight = 0
        self._segments = self._torn_tails = self._torn_bytes = self._load_errors = 0
        self._damaged_files = self._damaged_bytes = self._strange_files = 0
        self._values_cut = self._attributes_dropped = 0
        self._keys_refused = 0
        self._last_error = ""
        self._unfit: dict[Kind, str] = {}

    def count(self, kind: Kind, *fates: Fate, requests: int = 1, items: int = 0) -> None:
        """Add requests and their items to one or more columns."""
        with self._lock:
            book = self._books[kind]
            for fate in fates:
                book.requests[fate] = book.requests.get(fate, 0) + requests
                book.items[fate] = book.items.get(fate, 0) + items

    def locked_out(self) -> None:
        """Count a request without the key that it needed; that it was refused is counted apart."""
        with self._lock:
            self._keys_refused += 1

    def spooled(self, change_bytes: int) -> None:
        """Note that the spool holds more, or less, on disk."""
        with self._lock:
            self._spool_bytes += change_bytes

    def spool_bytes(self) -> int:
        """Say what the spool holds on disk."""
        with self._lock:
            return self._spool_bytes

    def admit(self, size: int, limit: int) -> bool:
        """Take a request's bytes in, if they fit; give them back with :meth:`release`."""
        with self._lock:
            if self._in_flight + size > limit:
                return False
            self._in_flight += size
            return True

    def release(self, size: int) -> None:
        """Give back what :meth:`admit` took."""
        with self._lock:
            self._in_flight -= size

    def cut(self, *, values: int, attributes: int) -> None:
        """Count what was cut from a request that was taken."""
        with self._lock:
            self._values_cut += values
            self._attributes_dropped += attributes

    def loaded(self) -> None:
        """Count a loaded segment."""
        with self._lock:
            self._segments += 1

    def torn(self, size: int) -> None:
        """Count a file that was cut back to its last whole frame."""
        with self._lock:
            self._torn_tails += 1
            self._torn_bytes += size

    def damaged(self, size: int) -> None:
        """Count a file that lost something, and how many of its bytes are no frame."""
        with self._lock:
            self._damaged_files += 1
            self._damaged_bytes += size

    def strange(self) -> None:
        """Count a file that cannot be taken for one of the spool's."""
        with self._lock:
            self._strange_files += 1

    def failed(self, error: Exception) -> None:
        """Count a load that must be tried again, or was set aside."""
        with self._lock:
            self._load_errors += 1
            self._last_error = str(error)

    def unfit(self, kind: Kind, why: str) -> None:
        """Note that the tables take nothing of a kind, and why; or, with an empty reason, that they do again."""
        with self._lock:
            if why:
                self._unfit[kind] = why
                self._load_errors += 1
                self._last_error = why
            else:
                self._unfit.pop(kind, None)

    def snapshot(self) -> CollectorStats:
        """Read everything at one instant."""
        with self._lock:
            traces, outcomes, logs = self._books["traces"], self._books["outcomes"], self._books["logs"]
            return CollectorStats(
                received_requests=traces.balance("requests", "received"),
                received_spans=traces.balance("items", "received"),
                stored_requests=traces.balance("requests", "stored"),
                stored_spans=traces.balance("items", "stored"),
                duplicate_requests=traces.balance("requests", "duplicate"),
                duplicate_spans=traces.balance("items", "duplicate"),
                refused_requests=traces.balance("requests", "refused"),
                refused_spans=traces.balance("items", "refused"),
                dead_lettered_requests=traces.balance("requests", "dead_lettered"),
                dead_lettered_spans=traces.balance("items", "dead_lettered"),
                damaged_requests=traces.balance("requests", "damaged"),
                damaged_spans=traces.balance("items", "damaged"),
                keys_refused=self._keys_refused,
                waiting_requests=traces.waiting("requests"),
                waiting_spans=traces.waiting("items"),
                received_outcomes=outcomes.balance("items", "received"),
                stored_outcomes=outcomes.balance("items", "stored"),
                duplicate_outcomes=outcomes.balance("items", "duplicate"),
                refused_outcomes=outcomes.balance("items", "refused"),
                dead_lettered_outcomes=outcomes.balance("items", "dead_lettered"),
                damaged_outcomes=outcomes.balance("items", "damaged"),
                waiting_outcomes=outcomes.waiting("items"),
                received_logs=logs.balance("items", "received"),
                stored_logs=logs.balance("items", "stored"),
                duplicate_logs=logs.balance("items", "duplicate"),
                refused_logs=logs.balance("items", "refused"),
                dead_lettered_logs=logs.balance("items", "dead_lettered"),
                damaged_logs=logs.balance("items", "damaged"),
                waiting_logs=logs.waiting("items"),
                values_cut=self._values_cut,
                attributes_dropped=self._attributes_dropped,
                spool_bytes=self._spool_bytes,
                bytes_in_flight=self._in_flight,
                segments_loaded=self._segments,
                torn_tails=self._torn_tails,
                torn_bytes=self._torn_bytes,
                damaged_files=self._damaged_files,
                damaged_bytes=self._damaged_bytes,
                strange_files=self._strange_files,
                load_errors=self._load_errors,
                last_error=self._last_error,
                unfit="; ".join(sorted(set(self._unfit.values()))),
            )

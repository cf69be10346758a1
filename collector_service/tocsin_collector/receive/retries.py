"""Recognise a sender's retry: the same bytes again are the same request, acknowledged and stored once."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Pending:
    """A request on its way to the disk."""

    settled: threading.Event = field(default_factory=threading.Event)
    is_kept: bool = False


class RecentRequests:
    """The digests of recent requests that are durable, or on their way to be; 200,000 of them take about 60 MB."""

    def __init__(self, kept: int = 200_000) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._durable: OrderedDict[bytes, None] = OrderedDict()
        self._pending: dict[bytes, Pending] = {}

    def claim(self, digest: bytes) -> Pending | None:
        """Enter a request: None when it is new and the caller's to settle or forget, else the first one to wait for."""
        with self._lock:
            if digest in self._durable:
                self._durable.move_to_end(digest)
                earlier = Pending(is_kept=True)
                earlier.settled.set()
                return earlier
            if digest in self._pending:
                return self._pending[digest]
            self._pending[digest] = Pending()
            return None

    def settle(self, digest: bytes) -> None:
        """Note that a claimed request is durable."""
        self.remember(digest)
        self._close(digest, is_kept=True)

    def forget(self, digest: bytes) -> None:
        """Note that a claimed request was not kept: sent again, it is new."""
        self._close(digest, is_kept=False)

    def remember(self, digest: bytes) -> None:
        """Enter a request that is durable, as one found on disk at start."""
        with self._lock:
            self._durable[digest] = None
            while len(self._durable) > self._kept:
                self._durable.popitem(last=False)

    def _close(self, digest: bytes, *, is_kept: bool) -> None:
        with self._lock:
            pending = self._pending.pop(digest, None)
        if pending is not None:
            pending.is_kept = is_kept
            pending.settled.set()

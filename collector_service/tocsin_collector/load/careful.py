"""Inserts segments, and settles those of which nobody can say what is stored."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Protocol

from tocsin_collector.errors import StoreRejected, StoreUnavailable
from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.ledger import Ledger
from tocsin_collector.spool.segments import Segment

_SURE_FOR_S: Final = 600.0  # after an insert that failed; later, others may have made the tables forget its token


class SettlingStore(Protocol):
    """Where segments go."""

    def insert(self, segment: Segment, /) -> None:
        """Store every row of a segment, once, while the tables remember its token."""
        ...

    def settle(self, segment: Segment, beside: Collection[str] = (), /) -> None:
        """Store what is missing of it, when that is not known of those beside it either, by their hashes."""
        ...

    def check(self, kind: Kind, path: Path, /) -> None:
        """Decode a file and drop the rows."""
        ...

    def try_out(self, segment: Segment, /) -> None:
        """Insert a segment beside the tables and drop it."""
        ...


class CarefulStore:
    """Stores that know which segments are in doubt; as many inserts go on beside each other as there are stores."""

    def __init__(
        self, stores: Sequence[SettlingStore], ledger: Ledger, *, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare.

        Args:
            stores: Ways into the same tables, each in a client of its own.
            ledger: Knows what was begun, and under which settings.
            elapsed: Seconds that never go back.
        """
        self._ledger = ledger
        self._elapsed = elapsed
        self._failed: dict[str, float] = {}  # when they first did
        self._unknown: set[str] = set()  # on one replica; the other may be gone, and never say that it has them
        self._free: SimpleQueue[SettlingStore] = SimpleQueue()
        self._settling = threading.Lock()  # it works with tables of fixed names
        for store in stores:
            self._free.put(store)

    def insert(self, segment: Segment) -> None:
        """Store every row of a segment, once.

        Raises:
            StoreUnavailable: nothing or all of it may be stored; insert the same segment again.
            StoreRejected: it can never be stored whole.
            StoreUnfit: as StoreUnavailable, until somebody has mended the store.
        """
        failed_at = self._failed.get(segment.hash)
        try:
            if failed_at is not None and (
                self._elapsed() - failed_at > _SURE_FOR_S
                or self._ledger.tables_changed()
                or (segment.hash in self._unknown and self._ledger.nodes_changed())
            ):
                self._ledger.doubt(segment)
            if self._ledger.is_doubted(segment):
                with self._settling, self._one() as store:
                    store.settle(segment, self._ledger.doubted_beside(segment))
            else:
                with self._one() as store:
                    store.insert(segment)
        except StoreUnavailable as error:
            if not error.nothing_sent:
                self._failed.setdefault(segment.hash, self._elapsed())
            if error.is_unknown:
                self._unknown.add(segment.hash)
            raise
        self._failed.pop(segment.hash, None)
        self._unknown.discard(segment.hash)

    def try_out(self, segment: Segment) -> None:
        """Insert a segment beside the tables and drop it; raises as :meth:`insert` does."""
        try:
            with self._settling, self._one() as store:
                store.try_out(segment)
        except StoreRejected:  # the segment whose hash this carries will be tried whole again, when the tables take it
            self._failed.setdefault(segment.hash, self._elapsed())
            raise
        self._failed.pop(segment.hash, None)

    def check(self, kind: Kind, path: Path) -> None:
        """Decode a file and drop the rows; raises as :meth:`insert` does."""
        with self._one() as store:
            store.check(kind, path)

    @contextmanager
    def _one(self) -> Iterator[SettlingStore]:
        store = self._free.get()
        try:
            yield store
        finally:
            self._free.put(store)

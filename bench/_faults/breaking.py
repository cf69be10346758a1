"""What stands between a collector and its disk, clock and store, so that they can be broken while it runs."""

import errno
import os
import time
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from threading import Event
from typing import Protocol

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.load.decoder import Kind
from tocsin_collector.spool.disk import RealDisk
from tocsin_collector.spool.segments import Segment


class BreakableDisk:
    """The real disk, until told otherwise.

    ``full``: half of what comes is written, then there is no room. ``eio``: everything is written, and making it durable
    fails; like Linux, a second attempt on the same file then succeeds and means nothing.
    """

    def __init__(self) -> None:
        self._real = RealDisk()
        self._failed: set[int] = set()  # files whose fsync failed
        self.mode = "well"
        self.counters: Counter[str] = Counter(failures=0, appends_after_eio=0)

    def create(self, path: Path, /) -> int:
        """As the port says."""
        if self.mode == "full":
            self.counters["failures"] += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        handle = self._real.create(path)
        self._failed.discard(handle)
        return handle

    def append(self, handle: int, parts: Sequence[bytes], /) -> None:
        """As the port says."""
        self.counters["appends_after_eio"] += handle in self._failed
        match self.mode:
            case "full":
                self.counters["failures"] += 1
                data = b"".join(parts)
                os.write(handle, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            case "eio":
                self.counters["failures"] += 1
                os.writev(handle, parts[:512])
                self._failed.add(handle)
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            case _:
                self._real.append(handle, parts)

    def cut(self, handle: int, size: int, /) -> None:
        """As the port says."""
        self._real.cut(handle, size)


class JumpingClock:
    """The wall clock, and however far it is wrong."""

    def __init__(self) -> None:
        self.offset_ns = 0

    def __call__(self) -> int:
        """Nanoseconds since 1970."""
        return time.time_ns() + self.offset_ns


class Store(Protocol):
    """What segments go into, of this version or an older one."""

    def insert(self, segment: Segment, /) -> None:
        """Store every row of a segment."""
        ...

    def settle(self, segment: Segment, beside: Collection[str] = (), /) -> None:
        """Store what is missing of it; an older version has no such thing."""
        ...

    def check(self, kind: Kind, path: Path, /) -> None:
        """Decode a file and drop the rows."""
        ...

    def try_out(self, segment: Segment, /) -> None:
        """Insert a segment beside the tables and drop it; an older version has no such thing."""
        ...


class PausableStore:
    """A store that can be made to wait, or to do what it is told and never say so."""

    def __init__(self) -> None:
        self.inner: Store | None = None
        self.answers = True
        self.unanswered: set[str] = set()
        self.under_way = 0
        self._runs = Event()
        self._runs.set()

    def pause(self) -> None:
        """Let nothing through."""
        self._runs.clear()

    def resume(self) -> None:
        """Let everything through."""
        self._runs.set()

    def insert(self, segment: Segment, /) -> None:
        """As the port says."""
        self._runs.wait()
        self.under_way += 1  # one at a time
        try:
            self._store().insert(segment)
        finally:
            self.under_way -= 1
        self._answer(segment)

    def settle(self, segment: Segment, beside: Collection[str] = (), /) -> None:
        """As the port says."""
        self._runs.wait()
        self._store().settle(segment, *([beside] if beside else []))  # an older version knows of none
        self._answer(segment)

    def check(self, kind: Kind, path: Path, /) -> None:
        """As the port says."""
        self._store().check(kind, path)

    def try_out(self, segment: Segment, /) -> None:
        """As the port says."""
        self._store().try_out(segment)

    def _answer(self, segment: Segment) -> None:
        if not self.answers:
            self.unanswered.add(segment.hash)
            raise StoreUnavailable("the answer was lost")

    def _store(self) -> Store:
        if self.inner is None:
            raise ValueError("expected a store, got none yet")
        return self.inner

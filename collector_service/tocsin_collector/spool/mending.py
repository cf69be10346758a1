"""Before a segment is loaded: is it what was written? What is not is counted, kept for the operator, and left out."""

import dataclasses
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.tally import Tally
from tocsin_collector.spool.contents import contents_of
from tocsin_collector.spool.damaged import DamagedFolder
from tocsin_collector.spool.frames import Frame
from tocsin_collector.spool.index import SUFFIX
from tocsin_collector.spool.recovery import Damage, Examined, examine, holds, make_whole
from tocsin_collector.spool.segments import Segment, of_seal, sum_up

_log = logging.getLogger(__name__)


class Books(Protocol):
    """What the ledger knows of segments that were begun, and writes of those that are damaged."""

    def stored_before(self, kind: Kind, written: str, first_ns: int, last_ns: int, /) -> Literal["none", "some", "all"]:
        """Say whether rows of a segment got into the store before it was damaged."""
        ...

    def set_aside(self, segment: Segment, frames: Sequence[Frame], reason: str, /) -> None:
        """Keep requests that cannot be loaded."""
        ...

    def write_damage(self, kind: Kind, file: str, damage: Damage, /) -> None:
        """Note what a file lost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file that an earlier run left, made whole."""

    segment: Segment | None
    keys: Sequence[bytes]


class Mender:
    """Proves segments and mends damaged ones."""

    def __init__(
        self,
        books: Books,
        tally: Tally,
        damaged: DamagedFolder,
        *,
        prove_after_s: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._books = books
        self._tally = tally
        self._damaged = damaged
        self._prove_after_s = prove_after_s
        self._now = now

    def take(self, kind: Kind, path: Path) -> Taken:
        """Make a file whole that an earlier run left.

        Raises:
            OSError: it cannot be read.
            StoreUnavailable: the store must be asked about it and does not answer.
        """
        examined = examine(kind, path, contents_of(kind))
        if examined.torn_bytes:
            self._tally.torn(examined.torn_bytes)
        mended = self._mend(kind, path, examined)
        lost, aside = mended.lost, mended.aside
        self._tally.count(kind, "received", "damaged", requests=lost.requests, items=lost.items)
        self._tally.count(kind, "received", "dead_lettered", requests=aside.requests, items=aside.items)
        return Taken(segment=mended.segment, keys=[one.key for one in examined.requests])

    def prove(self, segment: Segment) -> Segment | None:
        """Compare a segment with what was written before it is loaded; None when nothing is left to load.

        One that this process has just written is only measured: its bytes are still in memory.
        """
        size = segment.path.stat().st_size
        if segment.is_proven and size == segment.size_bytes:
            written_s = segment.last_received_ns / 1e9
            if self._now() - written_s < self._prove_after_s:
                return segment
        if size > segment.size_bytes:  # a write failed and could not be cut back
            os.truncate(segment.path, segment.size_bytes)
        if holds(segment.path, segment.hash):
            return dataclasses.replace(segment, is_proven=True)
        examined = examine(segment.kind, segment.path, contents_of(segment.kind))
        mended = self._mend(segment.kind, segment.path, examined)
        left, aside = mended.segment, mended.aside
        if mended.was_stored:
            self._tally.count(segment.kind, "stored", requests=segment.requests, items=segment.items)
        else:
            kept = Counted(left.requests, left.items) if left else aside
            lost, items = segment.requests - kept.requests, segment.items - kept.items
            self._tally.count(segment.kind, "damaged", requests=lost, items=items)
            self._tally.count(segment.kind, "dead_lettered", requests=aside.requests, items=aside.items)
        self._tally.spooled((left.size_bytes if left else 0) - segment.size_bytes)
        return left

    def _mend(self, kind: Kind, path: Path, examined: Examined) -> "_Mended":
        damage = examined.damage
        before = self._before(kind, examined) if damage.requests else "none"
        if before == "all":
            _log.warning("%s is damaged, but its rows were stored before", path)
            _remove(path)
            return _Mended(was_stored=True)
        if damage:
            self._tally.damaged(damage.size_bytes)
            self._books.write_damage(kind, path.name, damage)
            _log.error(
                "%s is damaged: %d requests with %d items are lost, %d bytes; %d requests are whole",
                path, damage.requests, damage.items, damage.size_bytes, len(examined.requests),
            )  # fmt: skip
        lost = Counted(damage.requests, damage.items)
        if before == "some":
            return _Mended(lost=lost, aside=self._set_aside(kind, path, examined))
        return _Mended(segment=make_whole(kind, path, examined, self._damaged), lost=lost)

    def _before(self, kind: Kind, examined: Examined) -> Literal["none", "some", "all"]:
        times = [one.frame.envelope.received_ns for one in examined.requests]
        if not times and not examined.written_hash:
            return "none"
        return self._books.stored_before(kind, examined.written_hash, min(times, default=0), max(times, default=0))

    def _set_aside(self, kind: Kind, path: Path, examined: Examined) -> "Counted":
        """Keep what is whole as dead letters: some of its rows are stored, under a token that nothing can use again."""
        requests = examined.requests
        if requests:
            segment = of_seal(kind, path, sum_up(requests, examined.size_bytes))
            reason = "damaged on disk after some of its rows were stored: loading the rest could store others twice"
            self._books.set_aside(segment, [one.frame for one in requests], reason)
        _remove(path)
        return Counted(len(requests), sum(one.contents.items for one in requests))


@dataclass(frozen=True, slots=True)
class Counted:
    """So many requests and items."""

    requests: int = 0
    items: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mended:
    segment: Segment | None = None
    lost: Counted = field(default_factory=Counted)
    aside: Counted = field(default_factory=Counted)
    was_stored: bool = False


def _remove(path: Path) -> None:
    path.unlink()
    path.with_suffix(SUFFIX).unlink(missing_ok=True)

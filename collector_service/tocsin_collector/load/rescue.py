"""What to do with a segment that the store refuses: save what can be, set the rest aside with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tocsin_collector.errors import StoreRejected, StoreUnavailable
from tocsin_collector.load.canary import Canary
from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.ledger import Ledger
from tocsin_collector.load.poison import sort_out
from tocsin_collector.spool.contents import contents_of, reencode
from tocsin_collector.spool.frames import Frame
from tocsin_collector.spool.recovery import examine
from tocsin_collector.spool.segments import Request, Segment, rewrite, write


class SpanStore(Protocol):
    """Where segments go."""

    def insert(self, segment: Segment, /) -> None:
        """Store every row of a sealed segment, once.

        Raises:
            StoreUnavailable: nothing or all of it may be stored; insert the same segment again.
            StoreRejected: this segment can never be stored whole; set it aside, piece by piece.
        """
        ...

    def check(self, kind: Kind, path: Path, /) -> None:
        """Decode a file and drop the rows; raises as insert does."""
        ...

    def try_out(self, segment: Segment, /) -> None:
        """Insert a segment beside the tables and drop it; raises as insert does."""
        ...


class Shelf(Protocol):
    """The segment's folder."""

    def leave(self, segment: Segment, /) -> None:
        """Remove a segment."""
        ...

    def split(self, segment: Segment, requests: Sequence[Request], /) -> Sequence[Segment]:
        """Make two segments of one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What became of a refused segment."""

    segments: Sequence[Segment]  # with what could be saved, to be loaded anew
    requests_lost: int  # set aside
    items_lost: int


def rescue(
    segment: Segment,
    error: StoreRejected,
    store: SpanStore,
    ledger: Ledger,
    shelf: Shelf,
    *,
    canary: Canary,
    is_last_try: bool,
) -> Saved:
    """Tell a refused segment's requests apart, set the bad ones aside and keep the others.

    Decoding fails before any table is touched, so what is kept can be loaded under a token of its own. Where everything
    decodes and a table refuses it all the same, the tables are asked. None holds a row of it: its halves are loaded each
    by itself, until the refused request stands alone. Some do: then no part of it can be loaded without storing rows
    twice, and it is loaded whole again, which fills what is missing; at the last try it is set aside whole, to be retried
    whole.

    Before any of that a canary is sent: what refuses even a request that is known to be good says nothing of these.

    Raises:
        StoreUnavailable: nothing was decided; try again.
        StoreUnfit: nothing was decided, since everything is refused.
    """
    look = contents_of(segment.kind)
    requests = examine(segment.kind, segment.path, look).requests
    frames = [one.frame for one in requests]
    trial = segment.path.with_suffix(".try")

    def check(some: Sequence[Frame]) -> None:
        write(trial, some)
        store.check(segment.kind, trial)

    try:
        told_apart = sort_out(frames, check, reencode(segment.kind))
    finally:
        trial.unlink(missing_ok=True)
    bad = told_apart.bad
    if not bad and list(told_apart.good) == frames:
        return _refused_by_a_table(segment, requests, error, ledger, shelf, canary=canary, is_last_try=is_last_try)
    if bad:
        canary.decodes(segment)
    for frame, reason in bad:
        ledger.set_aside(segment, [frame], reason)
    lost = sum(look(frame).items for frame, _ in bad)
    if not told_apart.good:
        ledger.write(segment, "set_aside")
        shelf.leave(segment)
        return Saved(segments=(), requests_lost=len(bad), items_lost=lost)
    keys = {one.frame.envelope.received_ns: one.key for one in requests}  # a mended frame has another digest
    kept = [
        Request(frame=frame, contents=look(frame), key=keys[frame.envelope.received_ns]) for frame in told_apart.good
    ]
    left = rewrite(segment.kind, segment.path, kept)
    return Saved(segments=[left], requests_lost=len(bad), items_lost=lost)


def _refused_by_a_table(
    segment: Segment,
    requests: Sequence[Request],
    error: StoreRejected,
    ledger: Ledger,
    shelf: Shelf,
    *,
    canary: Canary,
    is_last_try: bool,
) -> Saved:
    canary.lives(segment, lately=True)
    stored = ledger.stored(segment)
    is_untouched = not any(stored.values())
    if is_untouched and len(requests) > 1:
        return Saved(segments=shelf.split(segment, requests), requests_lost=0, items_lost=0)
    held = ", ".join(f"{n} rows in {table}" for table, n in stored.items())
    if not is_untouched and not is_last_try:
        raise StoreUnavailable(f"a table refused a segment of which others hold rows ({held}): {error}") from error
    canary.lives(segment)
    reason = f"every request decodes, but a table refused the segment ({held}): {error}"
    ledger.set_aside(segment, [one.frame for one in requests], reason, as_one=len(requests) > 1)
    ledger.write(segment, "set_aside")
    shelf.leave(segment)
    return Saved(segments=(), requests_lost=segment.requests, items_lost=segment.items)

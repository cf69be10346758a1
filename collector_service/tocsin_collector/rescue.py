"""What to do with a segment that the store refuses: save what can be, set the rest aside with the reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tocsin_collector.contents import contents_of, reencode
from tocsin_collector.decoder import Kind
from tocsin_collector.errors import StoreRejected
from tocsin_collector.frames import Frame
from tocsin_collector.ledger import Ledger
from tocsin_collector.poison import Sorted, sort_out
from tocsin_collector.recovery import examine
from tocsin_collector.segments import Request, Segment, rewrite, write


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What became of a refused segment."""

    segment: Segment | None  # the same file with what could be saved, to be loaded anew
    requests_lost: int  # set aside
    items_lost: int


def rescue(
    segment: Segment, error: StoreRejected, store: SpanStore, ledger: Ledger, leave: Callable[[Segment], None]
) -> Saved:
    """Tell a refused segment's requests apart, set the bad ones aside and keep the others.

    Decoding fails before any table is touched, so what is kept can be loaded under a token of its own. Where everything
    decodes and a table refuses it all the same, pieces could be stored twice: then the whole segment is set aside.

    Raises:
        StoreUnavailable: nothing was decided; try again.
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
    bad = list(told_apart.bad)
    if not bad and list(told_apart.good) == frames:
        held = ", ".join(f"{n} rows in {table}" for table, n in ledger.stored(segment).items())
        bad = [(frame, f"every request decodes, but a table refused the segment ({held}): {error}") for frame in frames]
        told_apart = Sorted(good=(), bad=bad)
    for frame, reason in bad:
        ledger.set_aside(segment, [frame], reason)
    lost = sum(look(frame).items for frame, _ in bad)
    if not told_apart.good:
        ledger.write(segment, "set_aside")
        leave(segment)
        return Saved(segment=None, requests_lost=len(bad), items_lost=lost)
    keys = {one.frame.envelope.received_ns: one.key for one in requests}  # a mended frame has another digest
    kept = [
        Request(frame=frame, contents=look(frame), key=keys[frame.envelope.received_ns]) for frame in told_apart.good
    ]
    return Saved(segment=rewrite(segment.kind, segment.path, kept), requests_lost=len(bad), items_lost=lost)

"""The segment being written: appended to by one thread, then sealed."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from tocsin_collector.decoder import Kind
from tocsin_collector.disk import Disk
from tocsin_collector.errors import Overloaded
from tocsin_collector.frames import Envelope, Frame, segment_hash
from tocsin_collector.segments import SEALED, Contents, Segment


@dataclass(slots=True, kw_only=True, eq=False)
class Ticket:
    """One frame on its way to the disk."""

    envelope: Envelope
    contents: Contents
    parts: Sequence[bytes]  # emptied once written
    size: int
    done: Event = field(default_factory=Event)
    error: Exception | None = None

    @classmethod
    def of(cls, frame: Frame, contents: Contents) -> "Ticket":
        """Encode a frame for writing."""
        parts = frame.encode()
        return cls(envelope=frame.envelope, contents=contents, parts=parts, size=sum(map(len, parts)))

    def wait(self, timeout_s: float) -> None:
        """Return once the frame is durable.

        Raises:
            Overloaded: it is not, as far as is known: the disk is full, failing, or too slow.
        """
        if not self.done.wait(timeout_s):
            raise Overloaded(f"expected the disk to take this within {timeout_s:g} s: send it again", retry_after_s=2)
        if self.error is not None:
            raise self.error


class OpenFile:
    """Created at its first append, so that a quiet collector leaves no file behind."""

    def __init__(self, *, path: Path, first_ns: int) -> None:
        self.path = path
        self.first_ns = first_ns  # when the oldest request was received that is in it, or on its way into it
        self.size = 0
        self.items = 0
        self.opened_at = self.written_at = time.monotonic()
        self.is_broken = False  # a failed write could not be cut back: nothing more may follow it
        self._handle: int | None = None
        self._envelopes: list[Envelope] = []
        self._last_end_ns = 0

    def append(self, disk: Disk, batch: Sequence[Ticket]) -> None:
        """Write frames and make them durable.

        Raises:
            OSError: none of them is kept.
        """
        if self._handle is None:
            self._handle = disk.create(self.path)
        try:
            disk.append(self._handle, [part for ticket in batch for part in ticket.parts])
        except OSError:
            self._cut_back(disk, self._handle)
            raise
        for ticket in batch:
            ticket.parts = ()
            self._envelopes.append(ticket.envelope)
            self.size += ticket.size
            self.items += ticket.contents.items
            self._last_end_ns = max(self._last_end_ns, ticket.contents.last_end_ns)
        self.written_at = time.monotonic()

    def seal(self, kind: Kind) -> Segment | None:
        """Close and rename it; None, and no file, when nothing was kept."""
        if self._handle is None:
            return None
        os.close(self._handle)
        if not self._envelopes:
            self.path.unlink()
            return None
        received = [envelope.received_ns for envelope in self._envelopes]
        return Segment(
            kind=kind,
            path=self.path.rename(self.path.with_suffix(SEALED)),
            hash=segment_hash(self._envelopes),
            requests=len(self._envelopes),
            items=self.items,
            size_bytes=self.size,
            first_received_ns=min(received),
            last_received_ns=max(received),
            last_end_ns=self._last_end_ns,
        )

    def _cut_back(self, disk: Disk, handle: int) -> None:
        try:
            disk.cut(handle, self.size)
        except OSError:
            self.is_broken = True

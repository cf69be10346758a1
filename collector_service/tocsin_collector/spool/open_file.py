"""The segment being written: appended to by one thread, then sealed."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from tocsin_collector.errors import Overloaded
from tocsin_collector.load.decoder import Kind
from tocsin_collector.spool import index
from tocsin_collector.spool.disk import Disk
from tocsin_collector.spool.frames import Envelope, Frame, Place, mark, message_size, segment_hash, varint
from tocsin_collector.spool.index import Record, Seal
from tocsin_collector.spool.segments import SEALED, Contents, Segment, new_file, of_seal


@dataclass(slots=True, kw_only=True, eq=False)
class Ticket:
    """One frame on its way to the disk."""

    envelope: Envelope
    contents: Contents
    key: bytes  # by which a retry of it is known
    body: bytes  # emptied once written
    tail: bytes
    size: int
    done: Event = field(default_factory=Event)
    error: Exception | None = None

    @classmethod
    def of(cls, frame: Frame, contents: Contents, key: bytes) -> "Ticket":
        """Prepare a frame for writing."""
        tail = frame.tail()
        message = message_size(len(frame.body), len(tail))
        size = len(varint(message)) + message
        return cls(envelope=frame.envelope, contents=contents, key=key, body=frame.body, tail=tail, size=size)

    def parts(self, place: Place) -> tuple[bytes, bytes, bytes]:
        """Give what to write, now that its place is known."""
        said = mark(place, self.contents, len(self.body), self.tail)
        return varint(message_size(len(self.body), len(self.tail))), self.body, self.tail + said

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
        self.is_broken = False  # a write failed: nothing more may follow it
        self._file = new_file()
        self._handle: int | None = None
        self._index: int | None = None
        self._envelopes: list[Envelope] = []
        self._last_end_ns = 0

    def append(self, disk: Disk, batch: Sequence[Ticket]) -> None:
        """Write frames and make them durable.

        After a failure the file is done with. Linux marks the pages of a failed fsync as clean, so that the next fsync
        of the same file succeeds and proves nothing; what was made durable before stays so, and is sealed.

        Raises:
            OSError: none of them is kept.
        """
        if self._handle is None:
            self._handle = disk.create(self.path)
            self._index = self._create_index()
        first = len(self._envelopes)
        placed = [(Place(file=self._file, sequence=first + n), ticket) for n, ticket in enumerate(batch)]
        try:
            disk.append(self._handle, [part for place, ticket in placed for part in ticket.parts(place)])
        except OSError:
            self.is_broken = True
            with suppress(OSError):  # else the loader cuts it: it knows how much was made durable
                disk.cut(self._handle, self.size)
            raise
        records = []
        for place, ticket in placed:
            ticket.body = b""
            self._envelopes.append(ticket.envelope)
            records.append(
                Record(
                    sequence=place.sequence,
                    offset=self.size,
                    size=ticket.size,
                    items=ticket.contents.items,
                    received_ns=ticket.envelope.received_ns,
                    last_end_ns=ticket.contents.last_end_ns,
                    key=ticket.key,
                )
            )
            self.size += ticket.size
            self.items += ticket.contents.items
            self._last_end_ns = max(self._last_end_ns, ticket.contents.last_end_ns)
        self._note(index.records(records))
        self.written_at = time.monotonic()

    def seal(self, kind: Kind) -> Segment | None:
        """Close and rename it; None, and no file, when nothing was kept."""
        if self._handle is None:
            return None
        os.close(self._handle)
        if not self._envelopes:
            self._close_index()
            self.path.with_suffix(index.SUFFIX).unlink(missing_ok=True)
            self.path.unlink()
            return None
        received = [envelope.received_ns for envelope in self._envelopes]
        said = Seal(
            requests=len(self._envelopes),
            items=self.items,
            size_bytes=self.size,
            first_received_ns=min(received),
            last_received_ns=max(received),
            last_end_ns=self._last_end_ns,
            hash=segment_hash(self._envelopes),
        )
        self._note(index.seal(said))
        self._close_index()
        return of_seal(kind, self.path.rename(self.path.with_suffix(SEALED)), said, is_proven=not self.is_broken)

    def _create_index(self) -> int | None:
        """Start an index; without one, a segment is as durable, and only what is lost of it is known less well."""
        try:
            path = self.path.with_suffix(index.SUFFIX)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o640)
        except OSError:
            return None
        self._index = handle
        self._note(index.head(self._file))
        return self._index

    def _note(self, slots: bytes) -> None:
        if self._index is None:
            return
        try:
            whole = os.write(self._index, slots) == len(slots)
        except OSError:
            whole = False
        if not whole:  # a full disk: half an index would count wrongly
            self._close_index()
            self.path.with_suffix(index.SUFFIX).unlink(missing_ok=True)

    def _close_index(self) -> None:
        if self._index is not None:
            os.close(self._index)
            self._index = None

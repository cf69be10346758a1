"""The spool of one kind: requests become durable in groups, and groups become segments.

One thread commits. Handlers hand it a frame and wait; all that wait share one ``fdatasync``. A segment is sealed when it
is large; or old, unless others wait to be loaded before it; or when senders are quiet and the loader has nothing to do.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from tocsin_collector.errors import Overloaded
from tocsin_collector.load.decoder import Kind
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.spool.disk import Disk
from tocsin_collector.spool.frames import Frame
from tocsin_collector.spool.open_file import OpenFile, Ticket
from tocsin_collector.spool.segments import OPEN, Contents, Segment


class Drain(Protocol):
    """Where sealed segments go, as far as it says when to seal one."""

    def is_idle(self) -> bool:
        """Whether nothing is being loaded or waits to be."""
        ...

    def is_behind(self) -> bool:
        """Whether a segment waits that could be loaded now."""
        ...


class Spool:
    """Durable, ordered, bounded."""

    def __init__(
        self,
        kind: Kind,
        settings: CollectorSettings,
        disk: Disk,
        *,
        sealed: Callable[[Segment], None],
        drain: Drain,
        first_number: int = 1,
    ) -> None:
        self._kind = kind
        self._settings = settings
        self._disk = disk
        self._sealed = sealed
        self._drain = drain
        self._number = first_number
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._waiting_bytes = 0
        self._stopping = False
        self._open: OpenFile | None = None
        self._thread = threading.Thread(target=self._run, name=f"tocsin-spool-{kind}", daemon=True)

    def start(self) -> None:
        """Start committing."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, seal, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def reserve(self) -> int:
        """Take a number for a segment that is not written here."""
        with self._changed:
            if self._open is not None:
                self._number += 1
                return self._number
            self._number += 1
            return self._number - 1

    def submit(self, frame: Frame, contents: Contents, *, key: bytes, spooled_bytes: int) -> Ticket:
        """Queue a frame for the next group.

        Args:
            frame: The request and its envelope.
            contents: What it holds.
            key: By which a retry of it is known.
            spooled_bytes: What waits on disk already, over all kinds.

        Raises:
            Overloaded: the spool is full, or is closing.
        """
        ticket = Ticket.of(frame, contents, key)
        with self._changed:
            if self._stopping:
                raise Overloaded(
                    "the collector is closing: send this again", retry_after_s=self._settings.retry_after_s
                )
            if spooled_bytes + self._waiting_bytes + ticket.size > self._settings.spool_max_bytes:
                raise Overloaded(
                    f"the spool is full ({spooled_bytes} of {self._settings.spool_max_bytes} bytes wait to be loaded): "
                    f"send this again, and look why the store does not keep up",
                    retry_after_s=self._settings.retry_after_s,
                )
            self._waiting.append(ticket)
            self._waiting_bytes += ticket.size
            self._changed.notify()
        return ticket

    def oldest_unsealed_ns(self) -> int | None:
        """When the oldest request was received that is in no sealed segment yet."""
        with self._changed:
            times = [ticket.envelope.received_ns for ticket in self._waiting]
            if self._open is not None:
                times.append(self._open.first_ns)
        return min(times, default=None)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting and not self._stopping:
                    self._changed.wait(None if self._open is None else max(0.001, self._settings.quiet_s / 2))
                group, self._waiting, self._waiting_bytes = self._waiting, [], 0
                stopping = self._stopping
                if group:  # noted before the lock is released: the watermark must not run ahead of it
                    self._note(group)
            if group:
                self._commit(group)
            if self._open is not None and (stopping or self._is_ripe(self._open)):
                self._seal(self._open)
            if stopping and not group:
                return

    def _note(self, group: Sequence[Ticket]) -> None:
        first_ns = min(ticket.envelope.received_ns for ticket in group)
        if self._open is None:
            self._open = self._fresh(first_ns)
        self._open.first_ns = min(self._open.first_ns, first_ns)

    def _fresh(self, first_ns: int) -> OpenFile:
        return OpenFile(path=self._settings.spool_dir / self._kind / f"{self._number:08d}{OPEN}", first_ns=first_ns)

    def _is_ripe(self, file: OpenFile) -> bool:
        now = time.monotonic()
        return (
            file.is_broken
            or file.size >= self._settings.segment_max_bytes
            # A segment costs the same planning however small it is: while others wait, it may as well grow.
            or (now - file.opened_at >= self._settings.segment_max_age_s and not self._drain.is_behind())
            or (now - file.written_at >= self._settings.quiet_s and self._drain.is_idle())
        )

    def _commit(self, group: Sequence[Ticket]) -> None:
        rest = list(group)
        while rest:
            file = self._open
            if file is None:
                return
            batch = _fitting(rest, file, self._settings)
            if not batch:
                self._seal(file, rest)
                continue
            rest = rest[len(batch) :]
            try:
                file.append(self._disk, batch)
            except OSError as error:
                refusal = Overloaded(
                    f"expected to write to the spool, got {error.strerror or error}: nothing of this was kept, send it again",
                    retry_after_s=self._settings.retry_after_s,
                )
                for ticket in batch:
                    ticket.error = refusal
            for ticket in batch:
                ticket.done.set()
            if rest and self._is_ripe(file):
                self._seal(file, rest)

    def _seal(self, file: OpenFile, rest: Sequence[Ticket] = ()) -> None:
        segment = file.seal(self._kind)
        with self._changed:
            self._number += 1  # also of a file that was never made: its number may have been passed over
        if segment is not None:
            self._sealed(segment)  # before it leaves here, so that a request is always somewhere
        first_ns = min((ticket.envelope.received_ns for ticket in rest), default=None)
        with self._changed:
            self._open = None if first_ns is None else self._fresh(first_ns)


def _fitting(group: Sequence[Ticket], file: OpenFile, settings: CollectorSettings) -> list[Ticket]:
    """Take from the front what still fits the file's one insert block; an empty file takes at least one request."""
    size, items, taken = file.size, file.items, 0
    for ticket in group:
        size += ticket.size
        items += ticket.contents.items
        if (size > settings.segment_max_bytes or items > settings.max_request_spans) and (taken or file.size):
            break
        taken += 1
    return list(group[:taken])

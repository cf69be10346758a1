"""What waits, in files: written by the call that ends, sent by a thread, and by another process where this one dies.

A folder holds, for each process that writes there, a lock file that is locked while the process lives, and segments. A
segment is appended to until it is sealed, and sent only then, so whoever sends it, and however often, sends the same
bytes, by which the collector knows them again. Nothing is fsynced: a process's death loses nothing, a machine's may.
"""

import os
import secrets
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin._process.boundary import MISHAPS
from tocsin._process.sigterm import UNINTERRUPTED
from tocsin._sending.frames import FrameWriter, read_pieces
from tocsin._sending.parcels import MOST_PIECES, TARGET_BYTES, Piece

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

IS_SUPPORTED: Final = fcntl is not None
_LOCK: Final = ".lock"
_SEGMENT: Final = ".segment"


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed file of pieces."""

    path: Path
    pieces: int | None = None  # as its writer counted them; None in another process's
    size: int = 0

    def read(self) -> tuple[Sequence[Piece], int]:
        """Read its pieces, and say how many are damaged; those are noted. A torn end is how another process's death looks."""
        try:
            found = read_pieces(self.path.read_bytes())
        except FileNotFoundError:
            return (), self.pieces or 0
        lost = found.damaged if self.pieces is None else self.pieces - len(found.pieces)
        if lost:
            MISHAPS.note(
                "buffer.damaged", ValueError(f"expected whole spans or outcomes in {self.path}, {lost} are not")
            )
        return found.pieces, lost


class Journal:
    """The segments of one process, of one kind."""

    def __init__(self, folder: Path, kind: str, *, most_bytes: int) -> None:
        """Name a folder, which must exist; nothing is written before the first piece.

        Args:
            folder: Shared by the processes of one service.
            kind: spans or outcomes.
            most_bytes: Of all segments in the folder, of whatever process and kind.
        """
        self._folder = folder
        self._kind = kind
        self._most_bytes = most_bytes
        self._lock: int = -1  # of our own name
        self._held: int = -1  # of a process whose leftovers we send
        self._is_busy: bool = False
        self._start_over()

    def append(self, pieces: Sequence[Piece]) -> bool:
        """Write pieces; false when there is no room or the disk refuses, and then none of them is written."""
        with UNINTERRUPTED, self._alone() as is_free:
            if not is_free:  # a finalizer ends a span of ours in the middle of this very work: that one waits in memory
                return False
            if self._used + self._others > self._most_bytes:
                MISHAPS.note("buffer.full", OSError(f"expected less than {self._most_bytes} bytes in {self._folder}"))
                return False
            try:
                if self._handle < 0 or self._written >= TARGET_BYTES or self._count >= MOST_PIECES:
                    self._seal()
                    self._open()
                frames = self._frames.frames(pieces)
                if self._written and self._written + len(frames) > TARGET_BYTES:
                    self._seal()
                    self._open()
                    frames = self._frames.frames(pieces)
                return self._append(frames, len(pieces))
            except OSError as error:
                MISHAPS.note("buffer", error)
                self._seal()  # a head that the writer believes written may not be
                return False

    def seal(self) -> None:
        """Close the open segment: from now on its bytes are what they are."""
        with self._alone():
            self._seal()
            used = self._used
        self._others = max(0, _size(self._folder) - used)

    def sealed(self) -> Segment | None:
        """Name the oldest sealed segment."""
        return self._sealed[0] if self._sealed else None

    def remove(self, segment: Segment) -> None:
        """Forget a segment that is settled."""
        segment.path.unlink(missing_ok=True)
        with self._alone():
            self._sealed.remove(segment)
            self._used -= segment.size
            self.waiting -= segment.pieces or 0

    def close(self) -> None:
        """Let go: what is left is the next process's, or of those beside us."""
        with self._alone():
            self._seal()
            if self._lock >= 0:
                if not self._sealed:
                    self._path(_LOCK).unlink(missing_ok=True)
                _unlock(self._lock)
                self._lock = -1

    def after_fork(self) -> None:
        """Start over in a child: the parent's files are the parent's, and closing our copies does not unlock them."""
        for handle in (self._handle, self._lock, self._held):
            if handle >= 0:
                with suppress(OSError):
                    os.close(handle)
        self._start_over()

    def has_leftovers(self) -> bool:
        """Tell whether there are segments of other processes, living or not."""
        return any(not path.name.startswith(self._name) for path in self._folder.glob(f"{self._kind}-*{_SEGMENT}"))

    def leftovers(self) -> Iterator["Leftovers"]:
        """Find what processes that have ended left, each locked for us until the next one is asked for."""
        names = {path.name.partition(".")[0] for path in self._folder.glob(f"{self._kind}-*{_LOCK}")}
        names |= {path.name.partition(".")[0] for path in self._folder.glob(f"{self._kind}-*{_SEGMENT}")}
        for name in sorted(names - {self._name}):
            lock = _lock(self._folder / f"{name}{_LOCK}")
            if lock is None:
                continue  # it lives, or another process is at it
            self._held = lock
            try:
                yield Leftovers(self._folder, name)
            finally:
                self._held = -1
                _unlock(lock)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Keep other threads out; false when this one is at it already."""
        with self._writing:
            was_busy = self._is_busy
            self._is_busy = True
            try:
                yield not was_busy
            finally:
                self._is_busy = was_busy

    def _start_over(self) -> None:
        self._writing = threading.RLock()  # the garbage collector may end a stream, so a span, while we hold it
        self._is_busy = False
        self._name = f"{self._kind}-{os.getpid()}-{secrets.token_hex(6)}"
        self._number = 0
        self._lock = self._held = -1
        self._handle = -1
        self._frames = FrameWriter()
        self._written = self._count = 0  # of the open segment
        self._sealed: deque[Segment] = deque()
        self._used: int = 0  # bytes of ours
        self._others = 0  # bytes of others', when we last looked
        self.waiting = 0  # pieces of ours

    def _path(self, ending: str) -> Path:
        return self._folder / f"{self._name}{ending}"

    def _open(self) -> None:
        if self._lock < 0:
            lock = _lock(self._path(_LOCK))
            if lock is None:  # somebody took the file between its making and its locking: another name, then
                self._name = f"{self._kind}-{os.getpid()}-{secrets.token_hex(6)}"
                lock = _lock(self._path(_LOCK))
            if lock is None:
                raise BlockingIOError(f"expected to lock {self._path(_LOCK)}, which is new")
            self._lock = lock
        self._number += 1
        path = self._path(f".{self._number:08d}{_SEGMENT}")
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._frames = FrameWriter()
        self._written = self._count = 0

    def _append(self, frames: bytes, count: int) -> bool:
        written = os.write(self._handle, frames)
        if written < len(frames):  # the disk is full: what stands there half must not stand before what comes
            os.ftruncate(self._handle, self._written)
            self._seal()
            return False
        self._written += written
        self._used += written
        self._count += count
        self.waiting += count
        return True

    def _seal(self) -> None:
        if self._handle < 0:
            return
        os.close(self._handle)
        self._handle = -1
        path = self._path(f".{self._number:08d}{_SEGMENT}")
        if self._count:
            self._sealed.append(Segment(path, self._count, self._written))
        else:
            path.unlink(missing_ok=True)


class Leftovers:
    """What one process left, while we hold its lock."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name

    def segments(self) -> list[Segment]:
        """Name its segments, the oldest first."""
        return [Segment(path) for path in sorted(self._folder.glob(f"{self._name}.*{_SEGMENT}"))]

    def remove(self, segment: Segment) -> None:
        """Forget a segment that is settled."""
        segment.path.unlink(missing_ok=True)

    def end(self) -> None:
        """Forget the process: nothing of it is left."""
        (self._folder / f"{self._name}{_LOCK}").unlink(missing_ok=True)


def _lock(path: Path) -> int | None:
    """Lock a file, made where there is none; None when another has it, or removes it this moment."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _unlock(handle: int) -> None:
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)  # closing would not do it while a child of ours has a copy
    os.close(handle)


def _size(folder: Path) -> int:
    size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(_SEGMENT):
                with suppress(OSError):
                    size += entry.stat().st_size
    return size

"""Segments on disk: what a sealed file holds, and how a file of frames is read and written whole."""

import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin_collector.load.decoder import Kind
from tocsin_collector.spool import index
from tocsin_collector.spool.frames import FILE_BYTES, Contents, Frame, Place, retry_key, segment_hash
from tocsin_collector.spool.index import Record, Seal
from tocsin_collector.spool.walk import Walk, walk

__all__ = ["Contents", "Look", "Request", "Segment"]

OPEN: Final = ".open"
SEALED: Final = ".seg"
Look = Callable[[Frame], Contents]
_UNSAID: Final = Contents(items=0, last_end_ns=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A sealed file of whole frames, waiting to be loaded."""

    kind: Kind
    path: Path
    hash: str  # of its content: the deduplication token, and the `segment` column of its rows
    requests: int
    items: int  # spans, log records or outcomes
    size_bytes: int
    first_received_ns: int
    last_received_ns: int
    last_end_ns: int  # the latest end of its spans; 0 when unknown
    is_proven: bool = True  # False: found on disk, its frames' digests not yet compared

    @property
    def index_path(self) -> Path:
        """The index beside it."""
        return self.path.with_suffix(index.SUFFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a segment, with what its index says."""

    frame: Frame
    contents: Contents
    key: bytes  # by which a sender's retry is known


def new_file() -> bytes:
    """Draw a file's name for itself, which no sender can guess."""
    return secrets.token_bytes(FILE_BYTES)


def sum_up(requests: Iterable[Request], size_bytes: int) -> Seal:
    """Say what a segment of these requests holds."""
    listed = list(requests)
    received = [one.frame.envelope.received_ns for one in listed]
    return Seal(
        requests=len(listed),
        items=sum(one.contents.items for one in listed),
        size_bytes=size_bytes,
        first_received_ns=min(received),
        last_received_ns=max(received),
        last_end_ns=max(one.contents.last_end_ns for one in listed),
        hash=segment_hash(one.frame.envelope for one in listed),
    )


def of_seal(kind: Kind, path: Path, seal: Seal, *, is_proven: bool = True) -> Segment:
    """Make the segment that a seal speaks of."""
    return Segment(
        kind=kind,
        path=path,
        hash=seal.hash,
        requests=seal.requests,
        items=seal.items,
        size_bytes=seal.size_bytes,
        first_received_ns=seal.first_received_ns,
        last_received_ns=seal.last_received_ns,
        last_end_ns=seal.last_end_ns,
        is_proven=is_proven,
    )


def write_requests(path: Path, requests: Sequence[Request], *, file: bytes | None = None) -> bytes:
    """Write a file of frames, durably, and return its index; the file's name for itself is drawn unless given."""
    file, offset = file or new_file(), 0
    records: list[Record] = []
    with path.open("wb") as out:
        for sequence, one in enumerate(requests):
            parts = one.frame.encode(Place(file=file, sequence=sequence), one.contents)
            size = sum(map(len, parts))
            out.writelines(parts)
            records.append(record_of(one, sequence=sequence, offset=offset, size=size))
            offset += size
        out.flush()
        os.fsync(out.fileno())
    return index.head(file) + index.records(records) + index.seal(sum_up(requests, offset))


def write(path: Path, frames: Sequence[Frame]) -> int:
    """Write a file of frames whose contents nobody will ask it for, and return its size."""
    write_requests(path, [Request(frame=frame, contents=_UNSAID, key=b"") for frame in frames])
    return path.stat().st_size


def rewrite(kind: Kind, path: Path, requests: Sequence[Request]) -> Segment:
    """Replace a sealed file's frames, whole or not at all.

    The index follows: a crash in between leaves the old one, which is known by its name for the file to be another's.
    """
    fresh, beside = path.with_suffix(".new"), path.with_suffix(".newidx")
    beside.write_bytes(write_requests(fresh, requests))
    size = fresh.stat().st_size
    fresh.replace(path.with_suffix(SEALED))
    beside.replace(path.with_suffix(index.SUFFIX))
    sync_folder(path.parent)
    return of_seal(kind, path.with_suffix(SEALED), sum_up(requests, size))


def record_of(request: Request, *, sequence: int, offset: int, size: int) -> Record:
    """Write down one frame for the index."""
    return Record(
        sequence=sequence,
        offset=offset,
        size=size,
        items=request.contents.items,
        received_ns=request.frame.envelope.received_ns,
        last_end_ns=request.contents.last_end_ns,
        key=request.key,
    )


def read_index(path: Path) -> index.Index | None:
    """Read the index beside a file, as far as it can be relied on."""
    with suppress(OSError):
        return index.read(path.with_suffix(index.SUFFIX).read_bytes())
    return None


def requests_of(kind: Kind, data: bytes, found: Walk, known: index.Index | None, look: Look) -> list[Request]:
    """Take the whole frames out of a file's bytes; `look` is asked only of those that no mark speaks of."""
    keys = {record.sequence: record.key for record in known.records} if known else {}
    listed = []
    for one in found.found:
        frame = one.frame(data)
        sequence = one.place.sequence if one.place else -1
        key = keys.get(sequence) or retry_key(kind, frame.envelope.digest, frame.envelope.project)
        listed.append(Request(frame=frame, contents=one.contents or look(frame), key=key))
    return listed


def read(path: Path) -> list[Frame]:
    """Read a file's whole frames."""
    data = path.read_bytes()
    return [one.frame(data) for one in walk(data).found]


def describe(kind: Kind, path: Path, frames: Iterable[Frame], size_bytes: int, look: Look) -> Segment:
    """Sum up the frames of a file."""
    requests = [Request(frame=frame, contents=look(frame), key=b"") for frame in frames]
    return of_seal(kind, path, sum_up(requests, size_bytes))


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: a file that a power loss unlinks was never written."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A file of frames as the disk hands it back: what is whole, what is lost of it, and the same file made whole again."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tocsin_collector.load.decoder import Kind
from tocsin_collector.spool import index
from tocsin_collector.spool.damaged import DamagedFolder
from tocsin_collector.spool.frames import MARK_HEAD, read_mark, segment_hash
from tocsin_collector.spool.index import Index
from tocsin_collector.spool.segments import (
    OPEN,
    SEALED,
    Look,
    Request,
    Segment,
    of_seal,
    read_index,
    requests_of,
    rewrite,
    sum_up,
    sync_folder,
)
from tocsin_collector.spool.walk import Walk, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What a file lost."""

    requests: int
    items: int  # as far as known
    uncounted: int  # requests of which nothing says how many items they held
    size_bytes: int  # of no whole frame; a torn tail, which was never acknowledged, is not among them

    def __bool__(self) -> bool:
        return bool(self.requests or self.size_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a file holds; its requests in the order in which they were written."""

    requests: Sequence[Request]
    damage: Damage
    gaps: Sequence[tuple[int, int]]  # the damaged bytes
    torn_bytes: int  # of a write that a crash cut short
    size_bytes: int  # of the file
    is_in_order: bool
    written_hash: str  # the token under which it may have been loaded before it was damaged; empty when unknown


def trusted(kind: Kind, path: Path) -> Segment | None:
    """Describe a sealed file by the ends of its index and its own last mark alone; None when they are not of one piece."""
    if path.suffix != SEALED:
        return None
    try:
        ends = _ends(path.with_suffix(index.SUFFIX))
    except OSError:
        return None
    if ends is None or path.stat().st_size != ends[1].size_bytes:
        return None
    file, seal = ends
    with path.open("rb") as frames:
        frames.seek(max(0, seal.size_bytes - _LAST))
        last = memoryview(frames.read())
    marked = read_mark(last, len(last), -seal.size_bytes)
    if marked is None or (marked.place.file, marked.place.sequence + 1) != (file, seal.requests):
        return None
    return of_seal(kind, path, seal, is_proven=False)


def _ends(path: Path) -> tuple[bytes, index.Seal] | None:
    with path.open("rb") as slots:
        head = slots.read(index.SLOT)
        size = slots.seek(0, os.SEEK_END)
        slots.seek(max(0, size - index.SLOT))
        found = index.read_ends(head, slots.read(index.SLOT))
    return found if found is not None and size == (found[1].requests + 2) * index.SLOT else None


def holds(path: Path, written_hash: str) -> bool:
    """Whether a file is exactly the frames that it was written with, each as its digest says."""
    data = path.read_bytes()
    known = read_index(path)
    found = walk(data, known.file if known else None)
    offsets = [one.offset for one in found.found]
    return (
        not found.gaps
        and offsets == sorted(offsets)
        and segment_hash(one.envelope for one in found.found) == written_hash
    )


_LAST = 8192  # bytes at a file's end that hold its last mark and the fields which it proves


def examine(kind: Kind, path: Path, look: Look) -> Examined:
    """Read a file and compare every frame with its digest, and all of them with the index."""
    data = path.read_bytes()
    known = read_index(path)
    found = walk(data, known.file if known else None)
    if known is not None and MARK_HEAD + known.file not in data:
        other = walk(data)
        # Another's index: files were swapped, or written by an older version. But a block of a file that still stands in
        # its own place was written over this one: its frames load from there, and this index says what is lost here.
        if (other.found or other.broken) and not _stands_elsewhere(path, other.file):
            known, found = None, other
    requests = requests_of(kind, data, found, known, look)
    is_open = path.suffix != SEALED
    torn = _torn(found, known, len(data), is_open=is_open)
    sized = sum(end - start for start, end in found.gaps) - torn
    lost, items, uncounted = _lost(found, known, has_lost_end=_has_lost_end(found, known, len(data), is_open=is_open))
    gaps = [(start, min(end, len(data) - torn)) for start, end in found.gaps if start < len(data) - torn]
    return Examined(
        requests=requests,
        damage=Damage(requests=lost, items=items, uncounted=uncounted, size_bytes=sized),
        gaps=gaps,
        torn_bytes=torn,
        size_bytes=len(data),
        is_in_order=[one.offset for one in found.found] == sorted(one.offset for one in found.found),
        written_hash=known.seal.hash if known and known.seal else "",
    )


def _stands_elsewhere(path: Path, file: bytes | None) -> bool:
    """Whether another file of the folder holds frames that its own index says are its."""
    for beside in path.parent.glob(f"*{index.SUFFIX}"):
        if beside.stem == path.stem:
            continue
        with suppress(OSError):
            with beside.open("rb") as slots:
                known = index.read(slots.read(index.SLOT))
            if known is None or known.file != file:
                continue
            for suffix in (SEALED, OPEN):
                held = beside.with_suffix(suffix)
                if held.exists() and MARK_HEAD + known.file in held.read_bytes():
                    return True
    return False


def make_whole(kind: Kind, path: Path, examined: Examined, damaged: DamagedFolder) -> Segment | None:
    """Seal a file that holds its whole frames and nothing else; one with none is removed.

    Safe to be interrupted at any point and run again.
    """
    for start, end in examined.gaps:
        damaged.keep(kind, path, start, end)
    requests = examined.requests
    if not requests:
        path.unlink()
        path.with_suffix(index.SUFFIX).unlink(missing_ok=True)
        return None
    if examined.gaps or examined.damage.requests or not examined.is_in_order:
        segment = rewrite(kind, path, requests)
        if path != segment.path:
            path.unlink()
        return segment
    whole = examined.size_bytes - examined.torn_bytes
    if examined.torn_bytes:
        with path.open("r+b") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
    sealed = path.rename(path.with_suffix(SEALED))
    sync_folder(sealed.parent)
    said = sum_up(requests, whole)
    _complete_index(sealed, said)
    return of_seal(kind, sealed, said)


def _complete_index(path: Path, said: index.Seal) -> None:
    known = read_index(path)
    if known is not None and known.seal == said:
        return
    if known is not None and known.seal is None and len(known.records) == known.slots == said.requests:
        with path.with_suffix(index.SUFFIX).open("ab") as file:
            file.write(index.seal(said))


def _torn(found: Walk, known: Index | None, size: int, *, is_open: bool) -> int:
    """Say how many bytes at the end were never acknowledged."""
    if not is_open or not found.gaps or found.gaps[-1][1] != size:
        return 0
    acknowledged = max((record.offset + record.size for record in known.records), default=0) if known else 0
    return size - max(acknowledged, found.gaps[-1][0], found.tail) if acknowledged < size else 0


def _has_lost_end(found: Walk, known: Index | None, size: int, *, is_open: bool) -> bool:
    """Whether bytes at the end of a sealed file are no frame, and nothing says how many frames they were."""
    return known is None and not is_open and bool(found.gaps) and found.gaps[-1][1] == size and found.tail < size


def _lost(found: Walk, known: Index | None, *, has_lost_end: bool) -> tuple[int, int, int]:
    """Count requests that are not whole, their items, and the requests whose items are unknown."""
    marks = max((*found.sequences, *found.broken), default=-1) + 1
    held: dict[int, int | None] = dict.fromkeys(range(marks))
    if known is not None:
        held.update(known.items())
    if not found.is_marked:  # unmarked frames have no numbers: what can be said is that something is gone
        held = {}
    missing = found.missing(held)
    items = [held[sequence] if held[sequence] is not None else found.broken.get(sequence) for sequence in missing]
    uncounted = sum(one is None for one in items) + has_lost_end
    return len(missing) + has_lost_end, sum(one or 0 for one in items), uncounted

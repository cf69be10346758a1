"""Segments on disk: what a sealed file holds, and how a file that a crash left behind is made whole again."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tocsin_collector.decoder import Kind
from tocsin_collector.frames import Frame, TornFrame, read_frames, segment_hash

OPEN, SEALED = ".open", ".seg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A sealed file of whole frames, waiting to be loaded."""

    kind: Kind
    path: Path
    hash: str  # of its content: the deduplication token, and the `segment` column of its rows
    requests: int
    items: int  # spans or outcomes
    size_bytes: int
    first_received_ns: int
    last_received_ns: int
    last_end_ns: int  # the latest end of its spans; 0 when unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """How many items a request holds and when the last of them ends: what a file's bytes do not say by themselves."""

    items: int
    last_end_ns: int


Look = Callable[[Frame], Contents]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """A file made whole: the segment, if anything was in it, and how many bytes of a torn write were cut off."""

    segment: Segment | None
    frames: Sequence[Frame]
    torn_bytes: int


def recover(kind: Kind, path: Path, look: Look) -> Recovered:
    """Cut a file off after its last whole frame and seal it; a file with none is removed.

    Safe to be interrupted at any point and run again.
    """
    data = path.read_bytes()
    frames: list[Frame] = []
    whole = 0
    try:
        for frame, after in read_frames(data):
            frames.append(frame)
            whole = after
    except TornFrame:
        with path.open("r+b") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
    if not frames:
        path.unlink()
        return Recovered(segment=None, frames=(), torn_bytes=len(data) - whole)
    sealed = path.with_suffix(SEALED)
    path.rename(sealed)
    segment = describe(kind, sealed, frames, whole, look)
    return Recovered(segment=segment, frames=frames, torn_bytes=len(data) - whole)


def rewrite(segment: Segment, frames: Sequence[Frame], look: Look) -> Segment:
    """Replace a sealed file's frames, whole or not at all."""
    fresh = segment.path.with_suffix(".new")
    size = write(fresh, frames)
    fresh.replace(segment.path)
    sync_folder(segment.path.parent)
    return describe(segment.kind, segment.path, frames, size, look)


def write(path: Path, frames: Iterable[Frame]) -> int:
    """Write a file of frames, durably, and return its size."""
    with path.open("wb") as file:
        size = sum(file.write(part) for frame in frames for part in frame.encode())
        file.flush()
        os.fsync(file.fileno())
    return size


def read(path: Path) -> list[Frame]:
    """Read a file's whole frames, up to the first torn one."""
    frames: list[Frame] = []
    with suppress(TornFrame):
        frames.extend(frame for frame, _ in read_frames(path.read_bytes()))
    return frames


def describe(kind: Kind, path: Path, frames: Iterable[Frame], size_bytes: int, look: Look) -> Segment:
    """Sum up the frames of a file."""
    listed = list(frames)
    contents = [look(frame) for frame in listed]
    received = [frame.envelope.received_ns for frame in listed]
    return Segment(
        kind=kind,
        path=path,
        hash=segment_hash(frame.envelope for frame in listed),
        requests=len(listed),
        items=sum(one.items for one in contents),
        size_bytes=size_bytes,
        first_received_ns=min(received),
        last_received_ns=max(received),
        last_end_ns=max(one.last_end_ns for one in contents),
    )


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: a file that a power loss unlinks was never written."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

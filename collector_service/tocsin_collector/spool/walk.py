"""Find every whole frame in a file's bytes, whatever happened to them, and say what is missing. Pure.

Frame by frame along their lengths as long as that holds; where it does not, on to the next mark of this file. A frame is
found only where its digest and its mark prove every byte of it that a row is made of.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tocsin_collector.spool.frames import (
    DIGEST_BYTES,
    DIGEST_HEAD,
    FILE_BYTES,
    MARK_HEAD,
    MARK_SIZE,
    PROJECT_HEAD,
    Contents,
    Envelope,
    Frame,
    Place,
    TornFrame,
    digest,
    read_mark,
    read_tail,
    read_varint,
    varint,
)

_LONGEST_PROJECT = 4096  # bytes: how far before its digest an unmarked frame's own fields may begin
_MARKS: Final = re.compile(re.escape(MARK_HEAD) + b"(.{%d})" % FILE_BYTES, re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A whole frame and where it stands."""

    envelope: Envelope
    place: Place | None  # None: written by a version that made no marks
    contents: Contents | None
    offset: int
    body: int
    body_size: int
    end: int

    def frame(self, data: bytes | memoryview) -> Frame:
        """Take the frame out of the file's bytes."""
        return Frame(body=bytes(data[self.body : self.body + self.body_size]), envelope=self.envelope)


@dataclass(slots=True, kw_only=True)
class Walk:
    """What a file's bytes hold."""

    file: bytes | None  # its name for itself; None when nothing in it says so
    found: list[Found] = field(default_factory=list)
    broken: dict[int, int] = field(default_factory=dict)  # sequence -> items, of frames known only by their marks
    gaps: list[tuple[int, int]] = field(default_factory=list)  # bytes of no whole frame: from, to
    tail: int = 0  # after the last mark of this file

    @property
    def sequences(self) -> set[int]:
        """The numbers of the whole frames."""
        return {one.place.sequence for one in self.found if one.place is not None}

    @property
    def is_marked(self) -> bool:
        """Whether the file's frames are numbered."""
        return all(one.place is not None for one in self.found)

    def missing(self, expected: Sequence[int] | Mapping[int, object] | range) -> list[int]:
        """Name the frames that are not whole, of those that there were."""
        whole = self.sequences
        return [sequence for sequence in expected if sequence not in whole]


def walk(data: bytes, file: bytes | None = None) -> Walk:
    """Find every whole frame of a file.

    Args:
        data: The file's bytes.
        file: Its name for itself, where its index says so; else the bytes are asked.
    """
    view = memoryview(data)
    chosen = file if file is not None else _file_of(data, view)
    result = Walk(file=chosen)
    seen: set[object] = set()
    position = gap = 0
    while position < len(data):
        one = _frame_at(view, position, chosen) or _next(data, view, position, chosen, result.broken)
        if one is None:
            position = len(data)
            break
        position = one.end
        if isinstance(one, Found):
            identity: object = one.place.sequence if one.place else (one.envelope.received_ns, one.envelope.digest)
            if identity not in seen:  # a block written twice is a frame once
                seen.add(identity)
                result.found.append(one)
                _note(result.gaps, gap, one.offset)
                gap = one.end
        result.tail = one.end
    _note(result.gaps, gap, len(data))
    result.found.sort(key=lambda one: one.place.sequence if one.place else one.offset)
    for sequence in result.sequences:  # broken here, whole in a copy of the block
        result.broken.pop(sequence, None)
    return result


@dataclass(frozen=True, slots=True)
class _Broken:
    end: int


def _note(gaps: list[tuple[int, int]], start: int, end: int) -> None:
    if end > start:
        gaps.append((start, end))


def _frame_at(view: memoryview, position: int, file: bytes | None) -> Found | None:
    try:
        size, start = read_varint(view, position)
        end = start + size
        if end > len(view):
            return None
        marked = read_mark(view, end, start)
        if marked is None:
            return _unmarked(view, position, start, end)
        if marked.size != size or marked.place.file != file:
            return None
        envelope = read_tail(bytes(view[start + marked.body_size : end - MARK_SIZE]))
    except TornFrame:
        return None
    if digest(view[start : start + marked.body_size]) != envelope.digest:
        return None
    return Found(
        envelope=envelope,
        place=marked.place,
        contents=marked.contents,
        offset=position,
        body=start,
        body_size=marked.body_size,
        end=end,
    )


def _unmarked(view: memoryview, position: int, start: int, end: int) -> Found | None:
    """Read a frame of a version that made no marks: its own fields end it, and begin somewhere before."""
    if bytes(view[max(start, end - DIGEST_BYTES - len(DIGEST_HEAD)) : end - DIGEST_BYTES]) != DIGEST_HEAD:
        return None
    said = view[end - DIGEST_BYTES : end]
    first = max(start, end - _LONGEST_PROJECT)
    window = bytes(view[first:end])
    at = window.rfind(PROJECT_HEAD)
    while at >= 0:
        if digest(view[start : first + at]) == said:
            envelope = read_tail(window[at:])
            body = first + at - start
            return Found(
                envelope=envelope, place=None, contents=None, offset=position, body=start, body_size=body, end=end
            )
        at = window.rfind(PROJECT_HEAD, 0, at)
    return None


def _next(
    data: bytes, view: memoryview, position: int, file: bytes | None, broken: dict[int, int]
) -> Found | _Broken | None:
    """Go to the next mark of this file; whatever stood before it and is not its frame is a gap."""
    if file is None:
        return None
    needle = MARK_HEAD + file
    at = data.find(needle, position)
    while at >= 0:
        end = at + MARK_SIZE
        marked = read_mark(view, end, position) if end <= len(data) else None
        if marked is not None:
            start = end - marked.size
            length = len(varint(marked.size))
            whole = _proved(view, start, end, marked.body_size)
            if whole is not None:
                is_led = start - length >= position and data[start - length : start] == varint(marked.size)
                return Found(
                    envelope=whole,
                    place=marked.place,
                    contents=marked.contents,
                    offset=start - length if is_led else start,
                    body=start,
                    body_size=marked.body_size,
                    end=end,
                )
            broken[marked.place.sequence] = marked.contents.items
            return _Broken(end)
        at = data.find(needle, at + 1)
    return None


def _proved(view: memoryview, start: int, end: int, body_size: int) -> Envelope | None:
    try:
        envelope = read_tail(bytes(view[start + body_size : end - MARK_SIZE]))
    except TornFrame:
        return None
    return envelope if digest(view[start : start + body_size]) == envelope.digest else None


def _file_of(data: bytes, view: memoryview) -> bytes | None:
    """Ask the first frame, then the last mark, then most of them: in that order, since a request may hold another's."""
    try:
        size, start = read_varint(view, 0)
    except TornFrame:
        size = start = 0
    ends = [end for end in (start + size, len(data)) if MARK_SIZE <= end <= len(data)]
    for end in ends:
        marked = read_mark(view, end)
        if marked is not None:
            return marked.place.file
    named: Counter[bytes] = Counter()
    for hit in _MARKS.finditer(data):
        if hit.start() + MARK_SIZE <= len(data) and read_mark(view, hit.start() + MARK_SIZE) is not None:
            named[hit[1]] += 1
    return named.most_common(1)[0][0] if named else None

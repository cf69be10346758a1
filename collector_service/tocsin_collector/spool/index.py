"""The index beside a segment: fixed-size records, each with a checksum, so that what is lost is known exactly.

It is appended to after the segment's fsync and never fsynced itself. A kill leaves it whole; after a power loss it may be
short or empty, and then the segment's own marks say the same, but for what stood at its very end. Pure bytes.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SUFFIX: Final = ".idx"
SLOT: Final = 64  # bytes
_CHECK: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<8s8s44x")  # magic, the segment's name for itself
_RECORD: Final = struct.Struct(
    "<4sIQIIQQ16s4x"
)  # tag, sequence, offset, size, items, received_ns, last_end_ns, retry key
_SEAL: Final = struct.Struct(
    "<4sIIQQQQ16s"
)  # tag, requests, items, size, first and last received_ns, last_end_ns, hash
_MAGIC, _ONE, _END = b"TOCSINX1", b"one\0", b"end\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One frame of the segment."""

    sequence: int
    offset: int
    size: int
    items: int
    received_ns: int
    last_end_ns: int
    key: bytes  # by which a sender's retry is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The sum of a segment, written when nothing more may follow."""

    requests: int
    items: int
    size_bytes: int
    first_received_ns: int
    last_received_ns: int
    last_end_ns: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index as read; what a checksum does not prove is left out."""

    file: bytes
    records: tuple[Record, ...]
    slots: int  # frames that were written, whether their records are whole or not
    seal: Seal | None

    def items(self) -> dict[int, int | None]:
        """Say of every frame that was written how many items it held; None where its record is damaged."""
        held: dict[int, int | None] = dict.fromkeys(range(self.slots))
        held.update({record.sequence: record.items for record in self.records})
        return held


def head(file: bytes) -> bytes:
    """Write the index's first slot."""
    return _checked(_HEAD.pack(_MAGIC, file))


def records(listed: Iterable[Record]) -> bytes:
    """Write a slot for each frame."""
    return b"".join(
        _checked(
            _RECORD.pack(
                _ONE,
                one.sequence,
                one.offset,
                one.size,
                one.items,
                one.received_ns,
                one.last_end_ns,
                one.key,
            )
        )
        for one in listed
    )


def seal(said: Seal) -> bytes:
    """Write the index's last slot."""
    return _checked(
        _SEAL.pack(
            _END,
            said.requests,
            said.items,
            said.size_bytes,
            said.first_received_ns,
            said.last_received_ns,
            said.last_end_ns,
            bytes.fromhex(said.hash),
        )
    )


def read(data: bytes) -> Index | None:
    """Read an index; None when nothing in it can be relied on."""
    if len(data) < SLOT or not _is_whole(data, 0):
        return None
    magic, file = _HEAD.unpack_from(data, 0)
    if magic != _MAGIC:
        return None
    found: dict[int, Record] = {}
    last: Seal | None = None
    in_place = True  # no slot has moved, so that the damaged ones can be counted too
    slots = len(data) // SLOT - 1
    for number in range(slots):
        at = (number + 1) * SLOT
        if not _is_whole(data, at):
            continue
        if data[at : at + len(_ONE)] == _ONE:
            record = _record(data, at)
            found[record.sequence] = record
            in_place = in_place and record.sequence == number
        elif data[at : at + len(_END)] == _END:
            last = _seal(data, at)
    if last is not None:
        slots = last.requests
    elif not in_place:
        slots = max(found) + 1
    elif slots and slots - 1 not in found:
        slots -= 1  # the last one may have been the seal
    whole = tuple(record for sequence, record in sorted(found.items()) if sequence < slots)
    return Index(file=file, records=whole, slots=slots, seal=last)


def read_ends(head_slot: bytes, last_slot: bytes) -> tuple[bytes, Seal] | None:
    """Read an index's first and last slot: the segment's name for itself and its sum; None when either is damaged."""
    if not (len(head_slot) == len(last_slot) == SLOT and _is_whole(head_slot, 0) and _is_whole(last_slot, 0)):
        return None
    magic, file = _HEAD.unpack_from(head_slot, 0)
    if magic != _MAGIC or last_slot[: len(_END)] != _END:
        return None
    return file, _seal(last_slot, 0)


def _record(data: bytes, at: int) -> Record:
    _, sequence, offset, size, items, received_ns, last_end_ns, key = _RECORD.unpack_from(data, at)
    return Record(
        sequence=sequence,
        offset=offset,
        size=size,
        items=items,
        received_ns=received_ns,
        last_end_ns=last_end_ns,
        key=key,
    )


def _seal(data: bytes, at: int) -> Seal:
    _, requests, items, size, first, last, last_end_ns, name = _SEAL.unpack_from(data, at)
    return Seal(
        requests=requests,
        items=items,
        size_bytes=size,
        first_received_ns=first,
        last_received_ns=last,
        last_end_ns=last_end_ns,
        hash=name.hex(),
    )


def _checked(said: bytes) -> bytes:
    return said + _CHECK.pack(zlib.crc32(said))


def _is_whole(data: bytes, at: int) -> bool:
    end = at + SLOT - _CHECK.size
    return bool(_CHECK.unpack_from(data, end)[0] == zlib.crc32(data[at:end]))

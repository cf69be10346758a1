"""The spool's framing: a varint length, the sender's request, and our fields appended to it. Pure bytes.

Protobuf fields concatenate, so what is appended is simply part of the message; and a length-prefixed sequence is what
ClickHouse's ``Protobuf`` format reads. Source: protobuf encoding, https://protobuf.dev/programming-guides/encoding/.

The last of our fields is the mark. The digest proves the request's own bytes, the mark's checksum proves ours; and it says
to which file the frame belongs, which number it has there, what it holds and how long it is. So a frame can be found and
proved without anything that stands before it, and a missing one is noticed.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

PROJECT = 15001
RECEIVED_NS = 15002
DIGEST = 15003
MARK = 15004
FIRST_RESERVED = 15000  # a sender's own top-level fields from here on are refused
DIGEST_BYTES = 16
FILE_BYTES = 8

_VARINT, _BYTES = 0, 2
_MARK: Final = struct.Struct("<8sIIQII")  # file, sequence, items, last_end_ns, bytes of the body, bytes of the message
_CHECK: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What we know of a request beside its own bytes."""

    project: str
    received_ns: int
    digest: bytes  # of the request's own bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """How many items a request holds and when the last of them ends."""

    items: int
    last_end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a frame belongs. The file's name for itself is random: no sender can write a frame into its own request."""

    file: bytes
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One request as it stands in a segment."""

    body: bytes
    envelope: Envelope

    def tail(self) -> bytes:
        """Give our fields but for the mark, which only the file can make."""
        name = self.envelope.project.encode()
        return b"".join(
            (
                varint(PROJECT << 3 | _BYTES), varint(len(name)), name,
                varint(RECEIVED_NS << 3 | _VARINT), varint(self.envelope.received_ns),
                varint(DIGEST << 3 | _BYTES), varint(len(self.envelope.digest)), self.envelope.digest,
            )
        )  # fmt: skip

    def encode(self, place: Place, contents: Contents) -> tuple[bytes, bytes, bytes, bytes]:
        """Give the parts to write one after another: length, body, our fields, mark."""
        tail = self.tail()
        size = message_size(len(self.body), len(tail))
        return varint(size), self.body, tail, mark(place, contents, len(self.body), tail)


class TornFrame(ValueError):  # noqa: N818 - a state of bytes on disk
    """The bytes do not hold a whole frame here: a write was cut short, or they were changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A mark as read, its checksum not yet compared."""

    place: Place
    contents: Contents
    body_size: int
    size: int  # of the message: body, our fields and the mark


def digest(body: bytes | memoryview) -> bytes:
    """Hash a request's own bytes: what recognises a retry and proves a frame whole."""
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest()


def retry_key(kind: str, sent: bytes, project: str) -> bytes:
    """Name a request by what its sender sent and for whom: what a retry has in common with it."""
    return hashlib.blake2b(b"%b\0%b\0%b" % (kind.encode(), sent, project.encode()), digest_size=DIGEST_BYTES).digest()


def segment_hash(envelopes: Iterable[Envelope]) -> str:
    """Name a segment by its content; the same content is the same deduplication token."""
    total = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for envelope in envelopes:
        total.update(f"{envelope.project}\n{envelope.received_ns}\n{envelope.digest.hex()}\n".encode())
    return total.hexdigest()


def message_size(body_size: int, tail_size: int) -> int:
    """Say how many bytes follow a frame's length."""
    return body_size + tail_size + MARK_SIZE


def mark(place: Place, contents: Contents, body_size: int, tail: bytes) -> bytes:
    """Write the field that ends a frame."""
    size = message_size(body_size, len(tail))
    said = MARK_HEAD + _MARK.pack(
        place.file, place.sequence, contents.items, contents.last_end_ns, body_size, size
    )  # fmt: skip
    return said + _CHECK.pack(zlib.crc32(said, zlib.crc32(tail)))


def read_mark(data: memoryview, end: int, start: int = 0) -> Marked | None:
    """Read and prove the mark that ends at `end`; None when there is none, or the bytes that it proves were changed.

    Args:
        data: A file's bytes.
        end: After the frame.
        start: Before which its message cannot begin.
    """
    begin = end - MARK_SIZE
    if begin < start or data[begin : begin + len(MARK_HEAD)] != MARK_HEAD:
        return None
    file, sequence, items, last_end_ns, body_size, size = _MARK.unpack_from(data, begin + len(MARK_HEAD))
    tail = end - size + body_size
    if body_size + MARK_SIZE > size or end - size < start:
        return None
    if _CHECK.unpack_from(data, end - _CHECK.size)[0] != zlib.crc32(
        data[begin : end - _CHECK.size], zlib.crc32(data[tail:begin])
    ):
        return None
    place, contents = Place(file=file, sequence=sequence), Contents(items=items, last_end_ns=last_end_ns)
    return Marked(place=place, contents=contents, body_size=body_size, size=size)


def read_tail(tail: bytes) -> Envelope:
    """Read our fields but for the mark, exactly as :meth:`Frame.tail` writes them.

    Raises:
        TornFrame: they are not.
    """
    project = received_ns = said = None
    position = 0
    while position < len(tail):
        key, position = read_varint(tail, position)
        number, position = read_varint(tail, position)
        if key == RECEIVED_NS << 3 | _VARINT:
            received_ns = number
            continue
        value, position = tail[position : position + number], position + number
        if key == PROJECT << 3 | _BYTES:
            project = value
        elif key == DIGEST << 3 | _BYTES:
            said = value
    if project is None or received_ns is None or said is None:
        raise TornFrame("expected a project, a time and a digest after the request")
    try:
        envelope = Envelope(project=project.decode(), received_ns=received_ns, digest=said)
    except UnicodeDecodeError as error:
        raise TornFrame("expected a project's name in UTF-8") from error
    if Frame(body=b"", envelope=envelope).tail() != tail:
        raise TornFrame("expected our fields as we write them")
    return envelope


def varint(number: int) -> bytes:
    """Encode an unsigned number."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data: bytes | memoryview, position: int) -> tuple[int, int]:
    """Decode an unsigned number; return it and the position after it.

    Raises:
        TornFrame: the bytes end within it, or it is longer than 64 bits.
    """
    number = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
    raise TornFrame(f"expected a whole varint before byte {position}")


MARK_HEAD: Final = varint(MARK << 3 | _BYTES) + varint(_MARK.size + _CHECK.size)
MARK_SIZE: Final = len(MARK_HEAD) + _MARK.size + _CHECK.size
DIGEST_HEAD: Final = varint(DIGEST << 3 | _BYTES) + varint(DIGEST_BYTES)
PROJECT_HEAD: Final = varint(PROJECT << 3 | _BYTES)

"""The spool's framing: a varint length, the sender's request, and our fields appended to it. Pure bytes.

Protobuf fields concatenate, so what is appended is simply part of the message; and a length-prefixed sequence is what
ClickHouse's ``Protobuf`` format reads. Source: protobuf encoding, https://protobuf.dev/programming-guides/encoding/.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PROJECT = 15001
RECEIVED_NS = 15002
DIGEST = 15003
FIRST_RESERVED = 15000  # a sender's own top-level fields from here on are refused
DIGEST_BYTES = 16

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_WIDTH = {_FIXED64: 8, _FIXED32: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What we know of a request beside its own bytes."""

    project: str
    received_ns: int
    digest: bytes  # of the request's own bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One request as it stands in a segment."""

    body: bytes
    envelope: Envelope

    def encode(self) -> tuple[bytes, bytes, bytes]:
        """Give the parts to write one after another: length, body, our fields."""
        name = self.envelope.project.encode()
        tail = b"".join(
            (
                varint(PROJECT << 3 | _BYTES), varint(len(name)), name,
                varint(RECEIVED_NS << 3 | _VARINT), varint(self.envelope.received_ns),
                varint(DIGEST << 3 | _BYTES), varint(len(self.envelope.digest)), self.envelope.digest,
            )
        )  # fmt: skip
        return varint(len(self.body) + len(tail)), self.body, tail


class TornFrame(ValueError):  # noqa: N818 - a state of bytes on disk
    """The bytes do not hold a whole frame here: a write was cut short, or they were changed."""


def digest(body: bytes) -> bytes:
    """Hash a request's own bytes: what recognises a retry and proves a frame whole."""
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest()


def segment_hash(envelopes: Iterable[Envelope]) -> str:
    """Name a segment by its content; the same content is the same deduplication token."""
    total = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for envelope in envelopes:
        total.update(f"{envelope.project}\n{envelope.received_ns}\n{envelope.digest.hex()}\n".encode())
    return total.hexdigest()


def varint(number: int) -> bytes:
    """Encode an unsigned number."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
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


def read_frames(data: bytes) -> Iterator[tuple[Frame, int]]:
    """Read whole, valid frames from the start; each comes with the position after it.

    Raises:
        TornFrame: after the last whole frame, when anything follows it.
    """
    position = 0
    while position < len(data):
        size, start = read_varint(data, position)
        position = start + size
        if position > len(data):
            raise TornFrame(f"expected {size} bytes from byte {start}, got {len(data) - start}")
        yield _open(data[start:position]), position


def _open(message: bytes) -> Frame:
    position = 0
    while position < len(message):
        key, after = read_varint(message, position)
        if key >> 3 >= FIRST_RESERVED:
            break
        position = _skip(message, key & 7, after)
    fields: dict[int, bytes | int] = {}
    end = position
    while end < len(message):
        key, after = read_varint(message, end)
        if key & 7 == _VARINT:
            fields[key >> 3], end = read_varint(message, after)
        else:
            end = _skip(message, key & 7, after)
            size, start = read_varint(message, after)
            fields[key >> 3] = message[start : start + size]
    project, received_ns, said = fields.get(PROJECT), fields.get(RECEIVED_NS), fields.get(DIGEST)
    body = message[:position]
    if not isinstance(project, bytes) or not isinstance(received_ns, int) or said != digest(body):
        raise TornFrame("expected a frame whose digest is that of its bytes")
    return Frame(body=body, envelope=Envelope(project=project.decode(), received_ns=received_ns, digest=digest(body)))


def _skip(message: bytes, wire_type: int, position: int) -> int:
    if wire_type == _VARINT:
        return read_varint(message, position)[1]
    if wire_type == _BYTES:
        size, start = read_varint(message, position)
        position = start + size
    elif wire_type in _FIXED_WIDTH:
        position += _FIXED_WIDTH[wire_type]
    else:
        raise TornFrame(f"expected a known wire type, got {wire_type}")
    if position > len(message):
        raise TornFrame("expected a whole field, got the start of one")
    return position

"""What leaves in one request: encoded pieces, joined in the same way every time, and cut by bytes.

A request that is sent again must be the same bytes again, since by their digest the collector knows it. So a request is
a pure function of its pieces, and pieces are made once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

MOST_PIECES: Final = 2_048
# Below the 4 MiB that gRPC servers take unless they are told otherwise, far below the 64 MiB of tocsin's own.
TARGET_BYTES: Final = 3 * 1024 * 1024
MOST_BYTES: Final = 60 * 1024 * 1024  # of one piece, with room below 64 MiB for what is around it


class Head(NamedTuple):
    """What spans of one resource and scope share: fields of their ``ResourceSpans`` and ``ScopeSpans``."""

    resource: bytes
    scope: bytes


class Piece(NamedTuple):
    """One span or outcome, encoded as a field of the message around it."""

    head: Head | None  # None: the piece is a field of the request itself
    body: Any  # bytes; for another's exporter the span itself, which has no size that we know

    @property
    def size(self) -> int:
        """Bytes it adds to a request, without its head."""
        return len(self.body) if isinstance(self.body, bytes) else 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """The pieces of one request."""

    pieces: Sequence[Piece]

    def __len__(self) -> int:
        return len(self.pieces)

    def body(self) -> bytes:
        """Write the request."""
        return join(self.pieces)

    def halves(self) -> tuple["Parcel", "Parcel"]:
        """Cut it in two, always in the same place."""
        middle = len(self.pieces) // 2
        return Parcel(self.pieces[:middle]), Parcel(self.pieces[middle:])


def join(pieces: Iterable[Piece]) -> bytes:
    """Write a request: a ``ResourceSpans`` for each head, in order of appearance, and pieces without head as they are."""
    groups: dict[Head | None, list[bytes]] = {}
    for head, body in pieces:
        groups.setdefault(head, []).append(body)
    return b"".join(
        b"".join(bodies) if head is None else field(0x0A, head.resource + field(0x12, head.scope + b"".join(bodies)))
        for head, bodies in groups.items()
    )


def parcels(pieces: Iterable[Piece]) -> Iterator[Parcel]:
    """Cut pieces into requests of about `TARGET_BYTES`; a larger piece goes by itself."""
    batch: list[Piece] = []
    heads: set[Head | None] = set()
    size = 0
    for piece in pieces:
        added = piece.size
        if piece.head is not None and piece.head not in heads:
            added += len(piece.head.resource) + len(piece.head.scope) + 16
        if batch and (size + added > TARGET_BYTES or len(batch) >= MOST_PIECES):
            yield Parcel(batch)
            batch, heads, size = [], set(), 0
            added = piece.size + sum(map(len, piece.head or ()))
        batch.append(piece)
        heads.add(piece.head)
        size += added
    if batch:
        yield Parcel(batch)


def field(tag: int, body: bytes) -> bytes:
    """Write a length-delimited field of protobuf with a one-byte tag."""
    return bytes((tag,)) + varint(len(body)) + body


def varint(number: int) -> bytes:
    """Write a number as protobuf does."""
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)

"""Pieces in a file: each frame says how long it is and proves itself, so that a torn end or a flipped bit costs only itself."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from tocsin._sending.parcels import Head, Piece

_FRAME: Final = struct.Struct("<II")  # bytes of the payload, checksum of it
_PIECE: Final = struct.Struct("<BH")  # what it is, which head it belongs to
_SPLIT: Final = struct.Struct("<I")
_HEAD, _HEADED, _BARE = 1, 2, 3


class FrameWriter:
    """Writes frames of one file; a head is written once, before the first piece that belongs to it."""

    def __init__(self) -> None:
        self._heads: dict[Head, int] = {}

    def frames(self, pieces: Iterable[Piece]) -> bytes:
        """Write pieces as frames."""
        written = []
        for head, body in pieces:
            if head is None:
                written.append(_frame(_PIECE.pack(_BARE, 0) + body))
                continue
            number = self._heads.get(head)
            if number is None:
                number = self._heads[head] = len(self._heads)
                said = _SPLIT.pack(len(head.resource)) + head.resource + head.scope
                written.append(_frame(_PIECE.pack(_HEAD, number) + said))
            written.append(_frame(_PIECE.pack(_HEADED, number) + body))
        return b"".join(written)


class Read(NamedTuple):
    """What was found in a file."""

    pieces: Sequence[Piece]
    damaged: int  # frames whose checksum does not hold, or whose head's does not
    torn: int  # bytes at the end that are no whole frame


def read_pieces(data: bytes) -> Read:
    """Read the frames of a file as far as they lead from one to the next; a damaged one is passed over by its length."""
    heads: dict[int, Head] = {}
    pieces: list[Piece] = []
    at = damaged = 0
    while at + _FRAME.size <= len(data):
        length, check = _FRAME.unpack_from(data, at)
        end = at + _FRAME.size + length
        if length < _PIECE.size or end > len(data):
            break
        payload = data[at + _FRAME.size : end]
        at = end
        if zlib.crc32(payload) != check:
            damaged += 1
            continue
        kind, number = _PIECE.unpack_from(payload)
        body = payload[_PIECE.size :]
        if kind == _HEAD:
            (cut,) = _SPLIT.unpack_from(body)
            heads[number] = Head(body[_SPLIT.size : _SPLIT.size + cut], body[_SPLIT.size + cut :])
        elif kind == _BARE:
            pieces.append(Piece(None, body))
        elif number in heads:
            pieces.append(Piece(heads[number], body))
        else:  # without a resource nobody could tell whose span it is
            damaged += 1
    return Read(pieces, damaged, len(data) - at)


def _frame(payload: bytes) -> bytes:
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload

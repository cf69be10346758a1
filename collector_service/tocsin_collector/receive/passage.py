"""One request on its way in: the bytes it holds until it is in the spool, packed or not."""

import zlib
from typing import Final

from tocsin_collector.errors import Overloaded, RequestRejected, RequestTooLarge
from tocsin_collector.load.tally import Tally
from tocsin_collector.settings import CollectorSettings

_PIECE: Final = 1024 * 1024  # bytes unpacked between two looks at the limits
_FEED: Final = 256 * 1024  # packed bytes given at a time: what is left over of them is copied
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS


class Passage:
    """Counts a request's bytes among those in flight, as they come."""

    def __init__(self, tally: Tally, settings: CollectorSettings) -> None:
        self._tally = tally
        self._settings = settings
        self._held = 0
        self.is_booked = False  # its fate is in the books already

    def hold(self, size: int) -> None:
        """Take more bytes of it in.

        Raises:
            Overloaded: too much is on its way already.
        """
        if not self._tally.admit(size, self._settings.max_bytes_in_flight):
            raise Overloaded(
                f"{self._settings.max_bytes_in_flight} bytes are on their way to the spool already: send this again",
                retry_after_s=self._settings.retry_after_s,
            )
        self._held += size

    def check(self, size: int) -> None:
        """Refuse a request of more bytes than are taken.

        Raises:
            RequestTooLarge: it is.
        """
        if size > self._settings.max_request_bytes:
            raise RequestTooLarge(
                f"expected a request of at most {self._settings.max_request_bytes} bytes, got {size} or more: "
                f"send smaller batches"
            )

    def unpack(self, packed: bytes) -> bytes:
        """Unpack gzip or zlib, and stop as soon as it is too much: a bomb costs what is let in.

        Raises:
            RequestRejected: it is damaged, or more follows it.
            RequestTooLarge: it holds more than a request may.
            Overloaded: too much is on its way already.
        """
        machine = zlib.decompressobj(_GZIP_OR_ZLIB)
        pieces: list[bytes] = []
        size = 0
        for start in range(0, len(packed), _FEED):
            rest = packed[start : start + _FEED]
            piece = b""
            while (rest or len(piece) == _PIECE) and not machine.eof:  # what was given may still be coming out
                try:
                    piece = machine.decompress(rest, _PIECE)
                except zlib.error as error:
                    raise RequestRejected(
                        f"expected a gzip body of {len(packed)} bytes, but it is damaged ({error})"
                    ) from error
                rest = machine.unconsumed_tail
                size += len(piece)
                self.check(size)
                self.hold(len(piece))
                pieces.append(piece)
            if machine.eof and (machine.unused_data or start + _FEED < len(packed)):
                raise RequestRejected("expected one gzip stream, but bytes follow its end")
        if not machine.eof:
            raise RequestRejected(f"expected a whole gzip body, got the first {len(packed)} bytes of one")
        return b"".join(pieces)

    def release(self) -> None:
        """Give all of it back."""
        self._tally.release(self._held)
        self._held = 0


def is_packed(body: bytes) -> bool:
    """Say whether a message is gzip or zlib: neither can be the start of a message of ours.

    In protobuf, gzip's first byte is a wire type that does not exist, and zlib's is a number in field 15.
    """
    return body[:2] == b"\x1f\x8b" or (body[:1] == b"\x78" and int.from_bytes(body[:2]) % 31 == 0)

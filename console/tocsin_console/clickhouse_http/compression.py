"""Response compression: what Accept-Encoding names, in the order in which it costs least."""

import zlib
from typing import Any, Final, Protocol

_PREFERRED: Final = ("zstd", "lz4", "gzip", "deflate")


class Encoder(Protocol):
    """Turns a body into a compressed one, piece by piece."""

    def add(self, data: bytes, /) -> bytes:
        """Take a piece, and give what is ready."""
        ...

    def finish(self) -> bytes:
        """Give the rest."""
        ...


def choose(accept_encoding: str) -> str:
    """Pick an encoding that the client takes; empty for none."""
    accepted = {
        name.strip().lower()
        for name, _, weight in (part.partition(";") for part in accept_encoding.split(","))
        if weight.replace(" ", "") not in {"q=0", "q=0.0"}
    }
    return next((name for name in _PREFERRED if name in accepted), "")


def encoder(name: str) -> Encoder:
    """Make an encoder of a chosen encoding; of none, one that changes nothing."""
    match name:
        case "zstd":
            return _Zstd()
        case "lz4":
            return _Lz4()
        case "gzip":
            return _Zlib(31)
        case "deflate":
            return _Zlib(15)
    return _Plain()


class _Plain:
    def add(self, data: bytes, /) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class _Zlib:
    def __init__(self, window_bits: int) -> None:
        self._inner = zlib.compressobj(3, zlib.DEFLATED, window_bits)

    def add(self, data: bytes, /) -> bytes:
        return self._inner.compress(data)

    def finish(self) -> bytes:
        return self._inner.flush()


class _Zstd:
    def __init__(self) -> None:
        try:
            from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # Python 3.14
        except ImportError:
            from backports import zstd
        self._inner: Any = zstd.ZstdCompressor(level=1)

    def add(self, data: bytes, /) -> bytes:
        return bytes(self._inner.compress(data))

    def finish(self) -> bytes:
        return bytes(self._inner.flush())


class _Lz4:
    def __init__(self) -> None:
        import lz4.frame

        self._inner: Any = lz4.frame.LZ4FrameCompressor()
        self._started = False

    def add(self, data: bytes, /) -> bytes:
        start = b"" if self._started else bytes(self._inner.begin())
        self._started = True
        return start + bytes(self._inner.compress(data))

    def finish(self) -> bytes:
        start = b"" if self._started else bytes(self._inner.begin())
        return start + bytes(self._inner.flush())

"""The retry keys of requests whose segment has been loaded and removed: a retry is known over a restart, too.

Two files, so that forgetting the oldest costs nothing: the full one is renamed, and replaces the one before it.
"""

import os
import struct
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tocsin_collector.spool.frames import DIGEST_BYTES

_ENTRY: Final = struct.Struct(f"<{DIGEST_BYTES}sI")  # key, checksum


class RetryLog:
    """Append-only; holds at least the last `kept` keys and at most twice as many."""

    def __init__(self, path: Path, *, kept: int) -> None:
        self._path = path
        self._older = path.with_suffix(".log.1")
        self._most_bytes = max(1, kept) * _ENTRY.size

    def append(self, keys: Iterable[bytes]) -> None:
        """Write keys down, durably: what they stand for is removed next."""
        entries = b"".join(_ENTRY.pack(key, zlib.crc32(key)) for key in keys)
        if not entries:
            return
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            size = os.fstat(handle).st_size
            if size % _ENTRY.size:  # a write that was cut short: the entries after it must stand in line again
                os.ftruncate(handle, size - size % _ENTRY.size)
            os.write(handle, entries)
            os.fdatasync(handle)
            size = os.fstat(handle).st_size
        finally:
            os.close(handle)
        if size >= self._most_bytes:
            self._path.replace(self._older)

    def read(self) -> list[bytes]:
        """Read what is known, the oldest first."""
        known: list[bytes] = []
        for path in (self._older, self._path):
            with suppress(OSError):
                data = path.read_bytes()
                whole = len(data) - len(data) % _ENTRY.size
                known += [key for key, check in _ENTRY.iter_unpack(data[:whole]) if zlib.crc32(key) == check]
        return known

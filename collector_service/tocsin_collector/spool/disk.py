"""The disk as the spool uses it: a seam, so that tests can fill it, slow it and break it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tocsin_collector.spool.segments import sync_folder

_MAX_PARTS = 512  # below every platform's IOV_MAX


class Disk(Protocol):
    """Append-only files that survive a power loss once synced."""

    def create(self, path: Path, /) -> int:
        """Create a file whose name survives a power loss; return its handle."""
        ...

    def append(self, handle: int, parts: Sequence[bytes], /) -> None:
        """Write all parts in order and make them durable.

        Raises:
            OSError: some of it may be written; cut the file back.
        """
        ...

    def cut(self, handle: int, size: int, /) -> None:
        """Truncate to what was durable before a failed append."""
        ...


class RealDisk:
    """The operating system's."""

    def create(self, path: Path, /) -> int:
        """As the port says."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        try:
            sync_folder(path.parent)
        except OSError:
            os.close(handle)
            path.unlink(missing_ok=True)  # the name is needed again
            raise
        return handle

    def append(self, handle: int, parts: Sequence[bytes], /) -> None:
        """As the port says."""
        for start in range(0, len(parts), _MAX_PARTS):
            _write_all(handle, parts[start : start + _MAX_PARTS])
        os.fdatasync(handle)

    def cut(self, handle: int, size: int, /) -> None:
        """As the port says."""
        os.ftruncate(handle, size)
        os.fdatasync(handle)


def _write_all(handle: int, parts: Sequence[bytes]) -> None:
    total = sum(map(len, parts))
    written = os.writev(handle, parts)
    if written == total:
        return
    rest = memoryview(b"".join(parts))[written:]  # short writes are rare: a full disk, a signal
    while rest:
        rest = rest[os.write(handle, rest) :]

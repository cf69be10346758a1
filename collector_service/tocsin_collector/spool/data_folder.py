"""The data folder: one process at a time, and never an engine older than the one that wrote it."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tocsin_collector.errors import SchemaError, StoreInUse

_LOCK, _ENGINE = "tocsin.lock", "engine.version"


@dataclass(frozen=True, slots=True)
class FolderLock:
    """Held for as long as it lives; the operating system releases it when the process ends, however it ends."""

    handle: int

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Claim a folder for this process; claiming it twice in one process is allowed.

        Raises:
            StoreInUse: another process holds it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # per process, not per handle
        except OSError as error:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise StoreInUse(
                f"{folder} is in use by another tocsin (process {holder}): end it, or give another --data-dir"
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        return cls(handle)

    def release(self) -> None:
        """Let the folder go; the file stays, since removing it would race with the next holder."""
        os.close(self.handle)


def check_engine(folder: Path, engine: str) -> None:
    """Refuse to open a folder that a newer engine wrote, and note the engine that opens it now.

    Args:
        folder: The embedded engine's folder.
        engine: This process's chdb-core version, as ``26.9.0``.

    Raises:
        SchemaError: the folder is newer.
    """
    note = folder / _ENGINE
    last = note.read_text(encoding="utf-8").strip() if note.exists() else ""
    if last and _order(last) > _order(engine):
        raise SchemaError(
            f"{folder} was written by chdb-core {last}, and this is {engine}, which may not read it: "
            f"install chdb-core {last} or newer, or give another --data-dir"
        )
    if last != engine:
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(engine + "\n", encoding="utf-8")


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())

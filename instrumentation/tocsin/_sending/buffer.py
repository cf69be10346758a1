"""The folder in which spans and outcomes outlive their process, where the settings name one."""

import hashlib
from pathlib import Path

from tocsin._process.boundary import MISHAPS
from tocsin._process.settings import Settings
from tocsin._sending.journal import IS_SUPPORTED, Journal

_KEY_HEADERS = ("authorization", "x-tocsin-key")


def open_journal(settings: Settings, kind: str) -> Journal | None:
    """Make the journal of one kind; None where none is asked for, or none can be: then all waits in memory."""
    if settings.buffer_dir is None:
        return None
    if not IS_SUPPORTED:
        MISHAPS.note("buffer", OSError("expected a system with flock, got one without: nothing is kept on disk"))
        return None
    try:
        folder = Path(settings.buffer_dir) / _project(settings)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        MISHAPS.note("buffer", error)
        return None
    return Journal(folder, kind, most_bytes=settings.buffer_bytes)


def _project(settings: Settings) -> str:
    """Name the folder by the ingest key: what one project left is never sent as another's."""
    keys = [value for name, value in settings.headers if name in _KEY_HEADERS]
    return f"key-{hashlib.sha256(keys[0].encode()).hexdigest()[:12]}" if keys else "no-key"

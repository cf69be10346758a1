"""What a file has said so far, in a file of its own: a million rows take 100 MB of disk and 20 of memory."""

import hashlib
import json
import sqlite3
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tocsin_collector.correct.verdicts import Claim

_SETTINGS: Final = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16384", "locking_mode = EXCLUSIVE")


class Memory:
    """Remembers outcomes by id, and what was first claimed of each call and kind."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tocsin-load-")
        self._known = sqlite3.connect(Path(self._folder.name) / "known.db", isolation_level=None)
        for setting in _SETTINGS:
            self._known.execute(f"PRAGMA {setting}")
        self._known.execute("CREATE TABLE outcomes (id BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._known.execute("CREATE TABLE claims (call BLOB PRIMARY KEY, line INTEGER, said TEXT) WITHOUT ROWID")
        self._known.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._known.close()
        self._folder.cleanup()

    def line_of(self, outcome_id: str, line: int) -> int | None:
        """Say in which line an outcome stood before; None, and remember this one, when it did not."""
        key = outcome_id.encode()
        if self._known.execute("INSERT OR IGNORE INTO outcomes VALUES (?, ?)", (key, line)).rowcount:
            return None
        return int(self._known.execute("SELECT line FROM outcomes WHERE id = ?", (key,)).fetchone()[0])

    def contradicted(self, call: str, kind: str, claim: Claim, line: int) -> tuple[int, Claim] | None:
        """Say which line first claimed otherwise of a call; remember the first claim."""
        key = hashlib.blake2b(f"{kind}\0{call}".encode(), digest_size=16).digest()
        said = json.dumps([claim.label, claim.value, claim.verdict])
        if self._known.execute("INSERT OR IGNORE INTO claims VALUES (?, ?, ?)", (key, line, said)).rowcount:
            return None
        before, text = self._known.execute("SELECT line, said FROM claims WHERE call = ?", (key,)).fetchone()
        label, value, verdict = json.loads(text)
        first = Claim(label=label, value=value, verdict=verdict)
        return (int(before), first) if claim.contradicts(first) else None

"""A backup taken by whoever has the store open: the process that runs, or a command while none does."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tocsin_collector.store.backup import Taken, take_backup
from tocsin_collector.store.backup_place import parse_place
from tocsin_collector.store.database import Database
from tocsin_wire.version import version


class BackupDesk:
    """Takes backups, one at a time and whole."""

    def __init__(self, store: Database, *, now: Callable[[], datetime], say: Callable[[str], object] = str) -> None:
        self._store = store
        self._now = now
        self._say = say

    def take(self, to: str, base: str = "", *, hold: bool = True) -> Mapping[str, Any]:
        """Take one and say what was taken.

        Args:
            to: Where to, as ``disk:NAME/PATH``, ``s3:COLLECTION/PATH`` or ``file:/PATH``.
            base: The earlier backup that this one only adds to; empty: none.
            hold: Have collectors wait meanwhile.

        Raises:
            BackupProblem: it cannot be taken there.
        """
        address = self._store.address
        taken = take_backup(
            self._store,
            parse_place(to, address),
            identity=new_identity(),
            now=self._now(),
            version=version(),
            base=parse_place(base, address) if base else None,
            hold=hold,
            say=self._say,
        )
        return facts_of(taken)


def new_identity() -> str:
    """Make an id for one statement."""
    return secrets.token_hex(16)


def facts_of(taken: Taken) -> Mapping[str, Any]:
    """Say of a backup what a person or a script asks."""
    backup = taken.backup
    return {
        "backup": backup.backup,
        "at": backup.at,
        "to": backup.place,
        "base": backup.base or None,
        "shards": backup.shards,
        "tables": len({each.table for each in backup.counts}),
        "rows": sum(each.rows for each in backup.counts),
        "files": taken.files,
        "size_bytes": taken.size_bytes,
        "seconds": round(taken.seconds, 3),
    }

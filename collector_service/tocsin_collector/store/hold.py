"""While a backup is taken collectors load nothing: a segment goes into several tables, and a backup reads one after the other.

The hold is a row in `backups` that is renewed, and that counts for nothing once it is old: who took it may have died.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from tocsin_collector.store.database import Database

HOLD: Final = "hold"  # instead of a backup's id
_OLD_S: Final = 60
_RENEWED_S: Final = 15.0
_SETTLE_S: Final = 2.0  # replicas are behind by less
_PATIENCE_S: Final = 60.0  # for what is under way; what fails again and again is not waited for
_POLL_S: Final = 0.1
_HELD: Final = f"""SELECT place FROM backups FINAL
WHERE backup = '{HOLD}' AND place != '' AND at > now64(3) - INTERVAL {_OLD_S} SECOND"""
_UNDER_WAY: Final = f"""SELECT count() AS n FROM load_ledger FINAL
WHERE state = 'begun' AND at > now64(3) - INTERVAL {int(_PATIENCE_S)} SECOND"""
_NOW: Final = "SELECT now64(3, 'UTC') AS now"


def held_by(database: Database) -> str:
    """Say where a backup is being taken to; empty: none is."""
    found = database.rows(_HELD)
    return str(found[0]["place"]) if found else ""


@contextmanager
def held(database: Database, place: str) -> Iterator[Callable[[], None]]:
    """Hold loading for as long as the block lasts, and begin it when what was under way is stored; gives what renews the hold."""
    renewed_s = 0.0

    def renew() -> None:
        nonlocal renewed_s
        if time.monotonic() - renewed_s > _RENEWED_S:
            _write(database, place)
            renewed_s = time.monotonic()

    try:
        renew()
        time.sleep(_SETTLE_S if database.address.cluster else 0.0)
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s and int(database.rows(_UNDER_WAY)[0]["n"]):
            renew()
            time.sleep(_POLL_S)
        yield renew
    finally:
        _write(database, "")


def _write(database: Database, place: str) -> None:
    at: datetime = database.rows(_NOW)[0]["now"]
    row = {"backup": HOLD, "at": at.astimezone(UTC), "place": place, "base": "", "version": "", "shards": 0}
    database.insert("backups", [{**row, "tables": [], "views": [], "counts": []}])

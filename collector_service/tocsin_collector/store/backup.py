"""Backups by ClickHouse's own BACKUP: what is stored when it begins, of every shard, and the books; the spool is not in it."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tocsin_collector.errors import BackupProblem, StoreRejected
from tocsin_collector.store.backup_place import Place
from tocsin_collector.store.database import Database
from tocsin_collector.store.hold import HOLD, held
from tocsin_collector.store.inventory import Counted, count_tables
from tocsin_collector.store.nodes import Name

_STATE: Final = """SELECT toString(status) AS status, error, num_files AS files, total_size AS size_bytes, bytes_read
FROM system.backups WHERE id = {id:String}"""
_NAMES: Final = """SELECT database, name, engine = 'MaterializedView' AS fills FROM system.tables
WHERE database IN {databases:Array(String)} ORDER BY database, name"""
_WORKING: Final = ("CREATING_BACKUP", "RESTORING")
_OF_PLACE: Final = f"""SELECT * FROM backups FINAL WHERE backup != '{HOLD}'
ORDER BY place = {{place:String}} DESC, at DESC LIMIT 1"""
_POLL_S: Final = 0.2

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup, as its own row in it says."""

    backup: str
    at: datetime  # what was stored before is in it
    place: str
    base: str  # of the backup without which it is not whole; empty: it is
    version: str
    shards: int  # 0: not of a cluster
    tables: tuple[Name, ...]  # and plain views
    views: tuple[Name, ...]  # that segments go through
    counts: tuple[Counted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A backup that was taken, and what it took."""

    backup: Backup
    files: int
    size_bytes: int
    seconds: float


def take_backup(
    database: Database,
    place: Place,
    *,
    identity: str,
    now: datetime,
    version: str,
    base: Place | None = None,
    hold: bool = True,
    say: Say = lambda _: None,
) -> Taken:
    """Back up the whole store, while it is written to.

    Args:
        database: The store.
        place: Where to; nothing may be there.
        identity: Of this backup, unlike any other's.
        now: The time of day.
        version: Of tocsin.
        base: An earlier backup: what has not changed since is left there, and a restore needs both.
        hold: Have collectors wait meanwhile. Without, a segment may be in some of its tables and not in others.
        say: Told how far it is.

    Raises:
        BackupProblem: something lies there already, or the server does not let us write there.
        StoreUnavailable: a node does not answer; take it again elsewhere.
    """
    began_s = time.monotonic()
    say("waiting for what is being loaded" if hold else "without waiting for what is being loaded")
    with held(database, str(place)) if hold else nullcontext(_nothing) as renew:

        def go_on(text: str) -> None:
            renew()
            say(text)

        go_on("counting")
        backup = _written_down(database, place, identity=identity, now=now, version=version, base=base)
        names = dict.fromkeys((database.address.database, database.address.shard_database))
        done = run_to_end(
            database,
            f"BACKUP {', '.join(f'DATABASE `{name}`' for name in names)}{on_cluster(database)} TO {place.sql}",
            identity=identity,
            settings=f", base_backup = {base.sql}" if base else "",
            say=go_on,
        )
    return Taken(
        backup=backup,
        files=int(done["files"]),
        size_bytes=int(done["size_bytes"]),
        seconds=time.monotonic() - began_s,
    )


def _written_down(
    database: Database, place: Place, *, identity: str, now: datetime, version: str, base: Place | None
) -> Backup:
    address = database.address
    counts = count_tables(database)
    there = database.rows(_NAMES, {"databases": list(dict.fromkeys((address.database, address.shard_database)))})
    backup = Backup(
        backup=identity,
        at=now.astimezone(UTC),
        place=str(place),
        base=str(base or ""),
        version=version,
        shards=max((each.shard for each in counts), default=0) or int(bool(address.cluster)),
        tables=tuple((row["database"], row["name"]) for row in there if not row["fills"]),
        views=tuple((row["database"], row["name"]) for row in there if row["fills"]),
        counts=counts,
    )
    row = {name: getattr(backup, name) for name in Backup.__dataclass_fields__}
    database.insert("backups", [{**row, "counts": [astuple(each) for each in counts]}], quorum=True)
    return backup


def _nothing() -> None:
    """Renew no hold."""


def on_cluster(database: Database) -> str:
    """Write the clause that sends a statement to every node; empty where there is one."""
    return f" ON CLUSTER `{database.address.cluster}`" if database.address.cluster else ""


def run_to_end(
    database: Database, statement: str, *, identity: str, settings: str = "", say: Say = lambda _: None
) -> dict[str, Any]:
    """Begin a BACKUP or RESTORE and look at it until it is over; its row of system.backups.

    Raises:
        BackupProblem: it failed; the message is the server's.
    """
    try:
        database.command(f"{statement} SETTINGS id = '{identity}'{settings} ASYNC")
    except StoreRejected as error:
        raise BackupProblem(_sentence(str(error))) from error
    while True:
        found = database.rows(_STATE, {"id": identity})
        if not found:
            raise BackupProblem("the node that began it was started again meanwhile, so it was not ended: begin again")
        state = found[0]
        if state["status"] not in _WORKING:
            break
        say(f"{state['files']:,} files, {max(state['size_bytes'], state['bytes_read']) / 1e6:,.1f} MB")
        time.sleep(_POLL_S)
    if state["error"]:
        raise BackupProblem(_sentence(state["error"]))
    return dict(state)


def backup_of(database: Database, place: Place) -> Backup | None:
    """Read of the backup that a store was just restored from: the one that was taken to this place, else its latest."""
    found = database.rows(_OF_PLACE, {"place": str(place)})
    return _read(found[0]) if found else None


def _read(row: dict[str, Any]) -> Backup:
    tables, views = (tuple((each["database"], each["name"]) for each in row[name]) for name in ("tables", "views"))
    counts = tuple(Counted(**each) for each in row["counts"])
    return Backup(**{**row, "tables": tables, "views": views, "counts": counts})


def _sentence(error: str) -> str:
    """Cut the server's error down to what a person needs."""
    text = error.partition("Stack trace")[0].split("DB::Exception:", 1)[-1]
    return f"the server did not do it: {' '.join(text.split())[:600]}"

"""Where a segment goes: into the embedded engine's own tables, or decoded here and sent to a server. One transform."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from tocsin_collector.errors import CollectorError, StoreUnavailable
from tocsin_collector.load.decoder import BLOCK_SETTINGS, Decoder, Kind, decoder
from tocsin_collector.load.settle import Settler
from tocsin_collector.load.shape import ShapeGuard
from tocsin_collector.privacy.redaction import Redaction
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.database import Database

# The tables that hold a row's segment: what a restart asks whether an insert got there.
TARGETS: Final[dict[Kind, tuple[str, ...]]] = {
    "traces": ("otel_traces", "ai_calls"),
    "outcomes": ("outcomes", "outcomes_waiting"),
    "logs": ("otel_logs",),
}

_WORTH_GIVING_BACK: Final = 4 * 1024 * 1024  # bytes of a segment
_NO_FILE: Final = Path("/nowhere")  # describing a query opens no file


@contextmanager
def unsent() -> Iterator[None]:
    """Say of a store that is not there or not fit that nothing was sent to it."""
    try:
        yield
    except StoreUnavailable as error:
        error.nothing_sent = True
        raise


class _Decoding:
    """The decoding of every kind, and the columns that it fills."""

    def __init__(self, database: Database, engine: Database, redactions: Sequence[Redaction]) -> None:
        self._database = database
        self._redactions = redactions
        self._engine = engine  # the one that decodes: embedded, since a server may be too old for it
        self._columns: dict[Kind, tuple[str, ...]] = {}

    @cached_property
    def decoders(self) -> dict[Kind, Decoder]:
        kinds: Iterable[Kind] = ("traces", "outcomes", "logs")
        return {kind: decoder(kind, self._redactions) for kind in kinds}

    def columns(self, kind: Kind) -> tuple[str, ...]:
        if kind not in self._columns:
            self._columns[kind] = self._ask_columns(self.decoders[kind])
        return self._columns[kind]

    def _ask_columns(self, chosen: Decoder) -> tuple[str, ...]:
        """List the table's columns that this version decodes: the next version may have added some."""
        found = self._database.rows(
            "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position",
            {"table": chosen.target},
        )
        described = self._engine.rows(f"DESCRIBE TABLE ({chosen.query(_NO_FILE, '')}) {chosen.clause()}")
        decoded = {row["name"] for row in described}
        return tuple(row["name"] for row in found if row["name"] in decoded)

    def check(self, kind: Kind, path: Path) -> None:
        """Decode a file and drop the rows.

        Raises:
            StoreRejected: it cannot be decoded.
            StoreUnavailable: try again.
        """
        chosen = self.decoders[kind]
        self._engine.command(f"SELECT ignore(*) FROM ({chosen.query(path, '')}) {chosen.clause()} FORMAT Null")

    def give_back(self, segment: Segment) -> None:
        """Have the engine's allocator return what a large segment took: it would keep 400 MB otherwise; 15 ms."""
        if segment.size_bytes >= _WORTH_GIVING_BACK:
            with suppress(CollectorError):  # an engine built with another allocator has nothing to say here
                self._engine.command("SYSTEM JEMALLOC PURGE")


class _Store(ABC):
    """What both have in common: how a segment's rows get into a table is theirs."""

    def __init__(self, database: Database, decoding: _Decoding) -> None:
        self._database = database
        self._guard = ShapeGuard(database)
        self._decoding = decoding

    def insert(self, segment: Segment) -> None:
        """Store every row of a segment, once.

        Raises:
            StoreUnavailable: nothing or all of it may be stored; insert the same segment again.
            StoreRejected: it can never be stored whole.
            StoreUnfit: nothing is stored, since the tables lack something.
        """
        with unsent():
            self._guard.check()
        self._insert_into(segment, self._target(segment))
        self._decoding.give_back(segment)

    def settle(self, segment: Segment, beside: Collection[str] = ()) -> None:
        """As :meth:`insert`, when nobody can say what is stored of it, nor of those beside it, by their hashes."""
        self._guard.check()
        Settler(self._database, self._insert_into, beside).settle(segment, self._target(segment))

    def try_out(self, segment: Segment) -> None:
        """Insert it beside the tables and drop it; raises as :meth:`insert` does."""
        Settler(self._database, self._insert_into).try_out(segment, self._target(segment))

    def check(self, kind: Kind, path: Path) -> None:
        """As :meth:`_Decoding.check`."""
        self._decoding.check(kind, path)

    def _target(self, segment: Segment) -> str:
        return self._decoding.decoders[segment.kind].target

    @abstractmethod
    def _insert_into(self, segment: Segment, table: str) -> None:
        """Insert every row of a segment into a table, as one block under the segment's token."""


class EmbeddedStore(_Store):
    """The engine reads the segment's file and fills its own tables: one statement, one block, one token."""

    def __init__(self, database: Database, redactions: Sequence[Redaction] = ()) -> None:
        super().__init__(database, _Decoding(database, database, redactions))

    def _insert_into(self, segment: Segment, table: str) -> None:
        chosen = self._decoding.decoders[segment.kind]
        columns = ", ".join(self._decoding.columns(segment.kind))
        select = f"SELECT {columns} FROM ({chosen.query(segment.path, segment.hash)})"
        self._database.command(f"INSERT INTO {table} ({columns}) {chosen.clause(token=segment.hash)} {select}")


class ServerStore(_Store):
    """The embedded engine decodes to ``Native``; the server's same views fan it out."""

    def __init__(self, database: Database, engine: Database, redactions: Sequence[Redaction] = ()) -> None:
        super().__init__(database, _Decoding(database, engine, redactions))
        self._engine = engine
        address = database.address
        self._quorum = {"insert_quorum": address.insert_quorum, **_QUORUM} if address.cluster else {}

    def _insert_into(self, segment: Segment, table: str) -> None:
        chosen = self._decoding.decoders[segment.kind]
        columns = self._decoding.columns(segment.kind)
        block = self._engine.raw(
            f"SELECT {', '.join(columns)} FROM ({chosen.query(segment.path, segment.hash)}) {chosen.clause()}",
            fmt="Native",
        )
        known = {name: value for name, value in BLOCK_SETTINGS.items() if name not in NEWER_THAN_SERVERS}
        self._database.insert_raw(
            table,
            columns,
            block,
            fmt="Native",
            settings={**known, **self._quorum, "insert_deduplication_token": segment.hash},
        )


# Long enough for a replica that is behind; one that is known to be dead is not waited for.
_QUORUM: Final = {"insert_quorum_timeout": 60_000}
NEWER_THAN_SERVERS: Final = frozenset({"input_format_max_block_size_bytes", "query_plan_merge_expressions"})

"""The one way to ClickHouse: clickhouse-connect, to a server, to a cluster's hosts, or to the embedded engine (chDB)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final, Self, TypeVar

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.spool.data_folder import FolderLock
from tocsin_collector.store.connection import connect, translated
from tocsin_collector.store.placement import everywhere
from tocsin_collector.store.store_address import IN_MEMORY, StoreAddress, StoreTls, shown

__all__ = ["IN_MEMORY", "LEDGER", "Database", "StoreAddress", "StoreTls"]

_ANSWER = TypeVar("_ANSWER")
LEDGER: Final = "schema_migrations"  # of migrations: the last table that a node of a cluster is given


class Database:
    """One client of the store. A client serialises its calls: take one per role, with :meth:`sibling`.

    Of several hosts it asks one. A question goes on to the next when that one fails; a write does not, since it may have
    been done: it raises, and the next call asks the next host.
    """

    def __init__(self, address: StoreAddress, lock: FolderLock | None = None) -> None:
        self.address = address
        self._client: Any = None
        self._lock = lock  # held as long as any client lives
        self._host = 0  # of address.urls, the one that is asked
        self._name = ""  # of the database in use; none before it is known to be there
        self.rows_read = 0  # from tables, by all of this client's SELECTs

    @classmethod
    def open(cls, address: StoreAddress) -> Self:
        """Connect, creating the database where it is missing.

        Raises:
            StoreInUse: another process holds the folder.
            SchemaError: a newer engine wrote the folder.
            StoreUnavailable: no host answers.
        """
        return cls._opened(address, _claim(address))

    @classmethod
    def _opened(cls, address: StoreAddress, lock: FolderLock | None, *, shard: bool = False) -> Self:
        opened = cls(address, lock)
        opened._reach()
        if not shard:
            opened._create()
        opened._name = opened._client.database = address.shard_database if shard else address.database
        return opened

    def sibling(self, *, timeout_s: float | None = None) -> Self:
        """Open another client of the same store, for another thread.

        Args:
            timeout_s: For one statement, where a later answer is of no use; None: as this one.
        """
        address = self.address if timeout_s is None else replace(self.address, timeout_s=timeout_s)
        return self._opened(address, self._lock)

    def on_shard(self, urls: Sequence[str], *, insert_quorum: str | None = None) -> Self:
        """Open a client of one shard's own tables, by these of the hosts.

        Args:
            urls: The shard's hosts.
            insert_quorum: How many of them must have a segment; None: as the store's address says.

        Raises:
            StoreUnavailable: none of them answers.
        """
        address = replace(self.address, url=urls[0], more_urls=tuple(urls[1:]))
        if insert_quorum is not None:
            address = replace(address, insert_quorum=insert_quorum)
        return self._opened(address, None, shard=True)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT and return its rows, times as aware UTC datetimes.

        Args:
            sql: ClickHouse SQL with ``{name:Type}`` placeholders.
            parameters: A value for each placeholder.

        Raises:
            StoreUnavailable: try again.
            StoreRejected: the statement itself is refused.
        """

        def question(client: Any) -> list[dict[str, Any]]:
            answer = client.query(sql, parameters=dict(parameters or {}))
            self.rows_read += int((answer.summary or {}).get("read_rows", 0))
            return list(answer.named_results())

        return self._ask(question)

    def insert(
        self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None, quorum: bool = False
    ) -> None:
        """Insert rows that share their keys; none is a no-op.

        Args:
            table: A table of this database.
            rows: Column name to value, the same columns in each.
            token: Content hash; the same token twice stores once.
            quorum: On a cluster, return only when as many replicas have them as a segment needs.

        Raises:
            StoreUnavailable: nothing or all of it may be stored; insert the same again.
            StoreRejected: a value does not fit its column.
        """
        if not rows:
            return
        columns = list(rows[0])
        settings: dict[str, Any] = {"insert_deduplication_token": token} if token else {}
        if quorum and self.address.cluster:
            settings["insert_quorum"] = self.address.insert_quorum
        values = [[row[column] for column in columns] for row in rows]
        with self._translated(writes=True):
            self._reach()
            self._client.insert(table, values, column_names=columns, settings=settings)

    def command(
        self,
        sql: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        database: str | None = None,
    ) -> None:
        """Run one statement that returns nothing, in this database or another.

        Raises:
            StoreUnavailable: try again.
            StoreRejected: the statement itself is refused.
        """
        address = self.address
        if address.cluster and self._name == address.database:
            sql = everywhere(sql, cluster=address.cluster, shard_database=address.shard_database)
        with self._translated(writes=sql.startswith("INSERT")):
            self._reach()
            self._client.database = database or self._name
            try:
                self._client.command(sql, parameters=dict(parameters or {}), settings=dict(settings or {}))
            finally:
                self._client.database = self._name

    def raw(
        self,
        sql: str,
        *,
        fmt: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Run one SELECT and return its bytes in a ClickHouse format, such as ``Native`` or ``CSVWithNames``."""
        how = {"parameters": dict(parameters or {}), "settings": dict(settings or {}), "fmt": fmt}
        return self._ask(lambda client: bytes(client.raw_query(sql, **how)))

    def insert_raw(
        self, table: str, columns: Sequence[str], block: bytes, *, fmt: str, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Insert bytes that are already in a ClickHouse format."""
        with self._translated(writes=True):
            self._reach()
            self._client.raw_insert(
                table, column_names=list(columns), insert_block=block, fmt=fmt, settings=dict(settings or {})
            )

    def version(self) -> str:
        """Say which ClickHouse this is, as ``26.9.2.1``."""
        self._reach()
        return str(self._client.server_version)

    def close(self) -> None:
        """Close this client; siblings stay open."""
        if self._client is not None:
            self._client.close()

    def _ask(self, question: Callable[[Any], _ANSWER]) -> _ANSWER:
        for left in range(max(1, len(self.address.urls)) - 1, -1, -1):
            try:
                with self._translated():
                    self._reach()
                    return question(self._client)
            except StoreUnavailable:
                if not left:
                    raise
        raise AssertionError("a store has a host")

    def _reach(self) -> None:
        """Connect where nothing is connected: to the host whose turn it is, else to the first that answers."""
        if self._client is not None:
            return
        urls: Sequence[str | None] = self.address.urls or (None,)
        for turn in range(len(urls)):
            host = (self._host + turn) % len(urls)
            try:
                self._client = connect(self.address, urls[host])
                self._require_tables(urls[host])
                self._client.database = self._name
            except StoreUnavailable:
                if turn + 1 == len(urls):
                    raise
            else:
                self._host = host
                break

    def _require_tables(self, url: str | None) -> None:
        """Leave a node of a cluster that came with an empty disk to those who give it its tables.

        Raises:
            StoreUnavailable: it has none, and others do.
        """
        address = self.address
        if not address.cluster or url is None:
            return
        ledger = f"WHERE database = '{address.database}' AND name = '{LEDGER}'"
        everywhere = f"clusterAllReplicas('{address.cluster}', system.tables)"
        with translated(None, writes=False):
            is_bare = not int(self._client.command(f"SELECT count() FROM system.tables {ledger}")) and int(
                self._client.command(f"SELECT count() FROM {everywhere} {ledger} SETTINGS skip_unavailable_shards = 1")
            )
        if is_bare:
            self._client.close()
            self._client = None
            raise StoreUnavailable(
                f"the node at {shown(url)} of the cluster {address.cluster} lacks the tables "
                f"that others have: its disk is new, so give it its tables with `tocsin cluster repair`"
            )

    def _create(self) -> None:
        address = self.address
        missing = list(dict.fromkeys((address.database, address.shard_database)))
        if not address.is_embedded:  # a role that may not create databases must not have to
            sql = "SELECT name FROM system.databases WHERE name IN {names:Array(String)}"
            there = {row["name"] for row in self.rows(sql, {"names": missing})}
            missing = [name for name in missing if name not in there]
        on_cluster = f" ON CLUSTER `{address.cluster}`" if address.cluster else ""
        for name in missing:
            with self._translated():
                self._client.command(f"CREATE DATABASE IF NOT EXISTS `{name}`{on_cluster}")

    @contextmanager
    def _translated(self, *, writes: bool = False) -> Iterator[None]:
        embedded = self._client if self.address.is_embedded else None
        try:
            with translated(embedded, writes=writes):
                yield
        except StoreUnavailable:
            if len(self.address.urls) > 1:
                self._leave_host()
            raise

    def _leave_host(self) -> None:
        self._host = (self._host + 1) % len(self.address.urls)
        if self._client is not None:
            with suppress(Exception):
                self._client.close()
            self._client = None


def _claim(address: StoreAddress) -> FolderLock | None:
    return None if address.path is None or address.is_in_memory else FolderLock.take(address.path)

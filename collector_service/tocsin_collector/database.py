"""The one way to ClickHouse: clickhouse-connect, to a server or to the embedded engine (chDB)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Self

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError, ProgrammingError

from tocsin_collector.data_folder import FolderLock, check_engine
from tocsin_collector.errors import StoreInUse, StoreRejected, StoreUnavailable

# Errors that pass by themselves: a timeout, too many parts, memory, a table read-only while its replica catches up.
_PASSING_CODES = frozenset({159, 202, 209, 210, 225, 236, 241, 242, 252, 279, 285, 319, 364, 425, 439, 999})


IN_MEMORY: Final = Path(":memory:")  # the engine's own name for it


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """Where the store is: a folder for the embedded engine, or a server's URL."""

    path: Path | None = None
    url: str | None = None  # http(s)://user@host:port; the password comes apart
    password: str = ""
    database: str = "tocsin"

    def __post_init__(self) -> None:
        if (self.path is None) == (self.url is None):
            raise ValueError(f"expected either a folder or a server's URL, got {self.path!r} and {self.url!r}")

    @property
    def is_embedded(self) -> bool:
        """Whether the engine runs in this process."""
        return self.path is not None

    @property
    def is_in_memory(self) -> bool:
        """Whether the embedded engine keeps nothing: a process decodes with it and stores elsewhere."""
        return self.path == IN_MEMORY


class Database:
    """One client of the store. A client serialises its calls: take one per role, with :meth:`sibling`."""

    def __init__(self, address: StoreAddress, client: Any, lock: FolderLock | None = None) -> None:
        self.address = address
        self._client = client
        self._lock = lock  # held as long as any client lives

    @classmethod
    def open(cls, address: StoreAddress) -> Self:
        """Connect, creating the database where it is missing.

        Raises:
            StoreInUse: another process holds the folder.
            SchemaError: a newer engine wrote the folder.
            StoreUnavailable: the server does not answer.
        """
        return cls._opened(address, _claim(address))

    @classmethod
    def _opened(cls, address: StoreAddress, lock: FolderLock | None) -> Self:
        client = _connect(address)
        client.command(f"CREATE DATABASE IF NOT EXISTS `{address.database}`")
        client.database = address.database
        return cls(address, client, lock)

    def sibling(self) -> Self:
        """Open another client of the same store, for another thread."""
        return self._opened(self.address, self._lock)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT and return its rows, times as aware UTC datetimes.

        Args:
            sql: ClickHouse SQL with ``{name:Type}`` placeholders.
            parameters: A value for each placeholder.

        Raises:
            StoreUnavailable: try again.
            StoreRejected: the statement itself is refused.
        """
        with self._translated():
            return list(self._client.query(sql, parameters=dict(parameters or {})).named_results())

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Insert rows that share their keys; none is a no-op.

        Args:
            table: A table of this database.
            rows: Column name to value, the same columns in each.
            token: Content hash; the same token twice stores once.

        Raises:
            StoreUnavailable: nothing or all of it may be stored; insert the same again.
            StoreRejected: a value does not fit its column.
        """
        if not rows:
            return
        columns = list(rows[0])
        settings = {"insert_deduplication_token": token} if token else {}
        with self._translated():
            self._client.insert(
                table, [[row[column] for column in columns] for row in rows], column_names=columns, settings=settings
            )

    def command(
        self, sql: str, *, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Run one statement that returns nothing.

        Raises:
            StoreUnavailable: try again.
            StoreRejected: the statement itself is refused.
        """
        with self._translated():
            self._client.command(sql, parameters=dict(parameters or {}), settings=dict(settings or {}))

    def raw(
        self,
        sql: str,
        *,
        fmt: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Run one SELECT and return its bytes in a ClickHouse format, such as ``Native`` or ``CSVWithNames``."""
        with self._translated():
            answer = self._client.raw_query(
                sql, parameters=dict(parameters or {}), settings=dict(settings or {}), fmt=fmt
            )
            return bytes(answer)

    def insert_raw(
        self, table: str, columns: Sequence[str], block: bytes, *, fmt: str, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Insert bytes that are already in a ClickHouse format."""
        with self._translated():
            self._client.raw_insert(
                table, column_names=list(columns), insert_block=block, fmt=fmt, settings=dict(settings or {})
            )

    def version(self) -> str:
        """Say which ClickHouse this is, as ``26.9.2.1``."""
        return str(self._client.server_version)

    def close(self) -> None:
        """Close this client; siblings stay open."""
        self._client.close()

    def _translated(self) -> "_translated":
        return _translated(self._client if self.address.is_embedded else None)


class _translated:  # noqa: N801 - used as a statement, like contextlib.suppress
    """Turn the driver's errors into ours.

    The embedded engine puts what is left of an answer that failed half-way before the next answer of the same client,
    where it would be read as rows: so the next answer is asked for here, and thrown away.
    """

    def __init__(self, embedded: Any | None) -> None:
        self._embedded = embedded

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and self._embedded is not None:
            with suppress(Exception):
                self._embedded.raw_query("SELECT 1")
        match error:
            case OperationalError():
                raise StoreUnavailable(f"the store did not answer: {error}") from error
            case DatabaseError():
                code = getattr(error, "code", None)
                if code in _PASSING_CODES:
                    raise StoreUnavailable(f"the store cannot take this now: {error}") from error
                raise StoreRejected(str(error)) from error
            case ProgrammingError():
                raise StoreRejected(str(error)) from error


def _claim(address: StoreAddress) -> FolderLock | None:
    return None if address.path is None or address.is_in_memory else FolderLock.take(address.path)


def _connect(address: StoreAddress) -> Any:
    settings = {"session_timezone": "UTC"}
    if address.path is None:
        try:
            return clickhouse_connect.get_client(
                dsn=address.url,
                password=address.password,
                settings=settings,
                autogenerate_session_id=False,
                tz_mode="aware",
            )
        except DatabaseError as error:
            raise StoreUnavailable(f"expected a ClickHouse server at {address.url}, got: {error}") from error
    if not address.is_in_memory:
        check_engine(address.path, metadata.version("chdb-core"))
    try:
        return clickhouse_connect.get_client(
            interface="chdb", path=str(address.path), settings=settings, tz_mode="aware"
        )
    except (ProgrammingError, DatabaseError) as error:
        raise StoreInUse(
            f"expected to be the only process in {address.path}, but the engine could not open it: "
            f"end the other tocsin, or give another --data-dir ({error})"
        ) from error

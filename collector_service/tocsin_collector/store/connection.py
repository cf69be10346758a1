"""The driver's clients and its errors: how one is made, and what its errors mean to us."""

from contextlib import suppress
from importlib import metadata
from typing import Any, Final
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError, ProgrammingError

from tocsin_collector.errors import StoreInUse, StoreRejected, StoreUnavailable, StoreUnfit
from tocsin_collector.spool.data_folder import check_engine
from tocsin_collector.store.store_address import StoreAddress, StoreTls, shown

# Errors that pass by themselves: a timeout, too many parts, memory, a table read-only while its replica catches up.
_PASSING_CODES: Final = frozenset({159, 202, 209, 210, 225, 236, 241, 242, 252, 279, 285, 319, 364, 394, 425, 439, 999})
# Errors of the server, its operator or its disk, that say nothing of the rows: a refused insert is tried again until they
# are mended. No table, no database, no such user, wrong password, no right, read-only, no space, no memory, and every way in which a
# file cannot be opened, written, synced or closed.
_NOT_THE_ROWS: Final = frozenset(
    {60, 75, 76, 77, 81, 88, 164, 172, 173, 192, 193, 194, 198, 204, 243, 294, 497, 516, 586, 641, 1000}
)
_UNKNOWN_QUORUM: Final = 319
_LONGEST_DECODING: Final = 16 * 1024 * 1024  # bytes of a statement: each redaction rule is written out for every text
# A dead replica gets its statements when it is back; rows through a Distributed table are there when the insert returns;
# a join of two sharded tables asks all shards for both.
_ON_A_CLUSTER: Final = {
    "distributed_ddl_output_mode": "throw_only_active",
    "distributed_foreground_insert": 1,
    "distributed_product_mode": "global",
}


def connect(address: StoreAddress, url: str | None) -> Any:
    """Make a client of one host, or of the embedded engine where no host is named.

    Raises:
        StoreInUse: another process holds the folder.
        SchemaError: a newer engine wrote the folder.
        StoreUnavailable: the host does not answer, or does not let us in.
    """
    settings: dict[str, Any] = {"session_timezone": "UTC"}
    if url is not None:
        if address.cluster:
            settings |= _ON_A_CLUSTER
        try:
            return clickhouse_connect.get_client(
                dsn=url,
                # Of a DSN the driver reads all but its scheme: it would send the password in the clear.
                interface=urlsplit(url).scheme,
                settings=settings,
                autogenerate_session_id=False,
                tz_mode="aware",
                connect_timeout=address.connect_timeout_s,
                send_receive_timeout=address.timeout_s,
                **_credentials(address),
                **_tls(address.tls),
            )
        except (OperationalError, DatabaseError) as error:
            raise StoreUnavailable(f"expected a ClickHouse server at {shown(url)}, got: {error}") from error
    if not address.is_in_memory and address.path is not None:
        check_engine(address.path, metadata.version("chdb-core"))
    settings["max_query_size"] = _LONGEST_DECODING
    try:
        client = clickhouse_connect.get_client(
            interface="chdb",
            path=str(address.path),
            settings=settings,
            tz_mode="aware",
            # Without it the engine writes no backup anywhere; who may have one taken is not the engine's to say.
            chdb_options=None if address.is_in_memory else {"backups.allowed_path": "/"},
        )
    except (ProgrammingError, DatabaseError) as error:
        raise StoreInUse(
            f"expected to be the only process in {address.path}, but the engine could not open it: "
            f"end the other tocsin, or give another --data-dir ({error})"
        ) from error
    _say_rows_read(client)
    return client


def _say_rows_read(client: Any) -> None:
    """Have the driver say how many rows a query read from tables, as a server does: by itself it says how many came back."""
    backend: Any = getattr(client, "_backend", None)
    if hasattr(backend, "_summary"):
        backend._summary = lambda result: {"read_rows": str(result.storage_rows_read())}  # noqa: SLF001 - no other way


class translated:  # noqa: N801 - used as a statement, like contextlib.suppress
    """Turn the driver's errors into ours.

    The embedded engine puts what is left of an answer that failed half-way before the next answer of the same client,
    where it would be read as rows: so the next answer is asked for here, and thrown away.
    """

    def __init__(self, embedded: Any | None, *, writes: bool) -> None:
        self._embedded = embedded
        self._writes = writes

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
                if self._writes and code in _NOT_THE_ROWS:
                    raise StoreUnfit(
                        f"the store cannot take this now, nor before somebody mends it: {error}"
                    ) from error
                if code in _PASSING_CODES:
                    passing = StoreUnavailable(f"the store cannot take this now: {error}")
                    passing.is_unknown = code == _UNKNOWN_QUORUM
                    raise passing from error
                raise StoreRejected(str(error)) from error
            case ProgrammingError():
                raise StoreRejected(str(error)) from error


def _credentials(address: StoreAddress) -> dict[str, Any]:
    if address.access_token:
        return {"access_token": address.access_token}
    return {"password": address.password, **({"username": address.user} if address.user else {})}


def _tls(tls: StoreTls) -> dict[str, Any]:
    said = {"ca_cert": tls.ca, "client_cert": tls.certificate, "client_cert_key": tls.private_key}
    return {"verify": tls.verify, **{name: str(path) for name, path in said.items() if path is not None}}

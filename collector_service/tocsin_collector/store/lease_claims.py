"""Where claims to a lease are written down: in Keeper, which can compare and set, or in a table, which cannot.

In Keeper a claim is a key that can be made once, so of any number who ask at the same time one has it. In a table the first
claim to an epoch has it, looked at after others' must be visible; that is for refusing a second evaluator, not for standing by.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from tocsin_collector.errors import CollectorError, StoreRejected
from tocsin_collector.store.database import Database
from tocsin_collector.store.lease import Claims, Holder

_SETTLE_S: Final = 2.0  # replicas are behind by less
_COLUMNS: Final = (
    "epoch, holder, address, asked_at, at AS beat, dateDiff('millisecond', at, now64(6)) / 1000 AS age_s, released"
)
_IN_TABLE: Final = (
    f"SELECT {_COLUMNS} FROM leases FINAL WHERE name = {{name:String}} ORDER BY epoch DESC, asked_at, holder LIMIT 1"
)
_IN_KEEPER: Final = f"SELECT {_COLUMNS} FROM lease_claims WHERE name = {{name:String}} ORDER BY epoch DESC LIMIT 1"
_MAKE: Final = """CREATE TABLE IF NOT EXISTS lease_claims ON CLUSTER `{cluster}`
(`claim` String, `name` String, `epoch` UInt64, `holder` String, `address` String, `asked_at` DateTime64(6, 'UTC'),
`at` DateTime64(6, 'UTC'), `released` UInt8)
ENGINE = KeeperMap('/tocsin/{database}/lease_claims') PRIMARY KEY claim"""
_CLAIM: Final = """INSERT INTO lease_claims SELECT
{claim:String}, {name:String}, {epoch:UInt64}, {holder:String}, {address:String}, {asked_at:DateTime64(6, 'UTC')}, now64(6, 'UTC'), {released:UInt8}"""
_FORGET: Final = "ALTER TABLE lease_claims DELETE WHERE name = {name:String} AND epoch < {epoch:UInt64}"
_BEFORE: Final = "SELECT bitShiftRight(max(epoch), 10) AS epoch FROM takeovers"  # a lease is a thousand epochs
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOW: Final = "SELECT now64(6, 'UTC') AS now"
_log = logging.getLogger(__name__)


def claims_in(database: Database, name: str, *, through: Database | None = None) -> tuple[Claims, bool]:
    """Give the place for claims to a lease, and whether several may wait for it: only where there is a Keeper.

    Args:
        database: Makes the place where there is none, which may take a cluster minutes.
        name: The lease's.
        through: Asks for claims and writes them; None: the same client.

    Raises:
        StoreUnavailable: ask again.
    """
    address = database.address
    if address.cluster and not _are_in_keeper(database):
        try:
            database.command(_MAKE.format(cluster=address.cluster, database=address.database))
        except StoreRejected as error:
            _log.warning("no lease in Keeper, so only one evaluator can be started (keeper_map_path_prefix): %s", error)
    is_shared = _are_in_keeper(database)
    asks = through or database
    return KeeperClaims(asks, name) if is_shared else TableClaims(asks, name), is_shared


def holder_of(database: Database, name: str) -> Holder | None:
    """Say who has a lease, or had it last, wherever that is written down."""
    rows = database.rows(_IN_KEEPER if _are_in_keeper(database) else _IN_TABLE, {"name": name})
    last = _holder(rows[0]) if rows else None
    return last if last and last.holder else None


class KeeperClaims:
    """Claims as keys of a KeeperMap table."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    def last(self) -> Holder | None:
        """As :meth:`Claims.last`; before any, the epochs that were given out elsewhere are written down."""
        found = self._database.rows(_IN_KEEPER, {"name": self._name})
        if not found:
            epoch = int(self._database.rows(_BEFORE)[0]["epoch"])
            with suppress(CollectorError):
                self._make(f"{self._name}:first", epoch, holder="", address="", asked_at=_LONG_AGO)
            found = self._database.rows(_IN_KEEPER, {"name": self._name})
        return _holder(found[0]) if found else None

    def claim(self, epoch: int, *, holder: str, address: str) -> Holder | None:
        """As :meth:`Claims.claim`: the key of an epoch can be made once."""
        asked_at = self._database.rows(_NOW)[0]["now"]
        with suppress(CollectorError):  # it is there, or nobody knows: whose it is is read back
            self._make(f"{self._name}:{epoch}", epoch, holder=holder, address=address, asked_at=asked_at)
        last = self.last()
        if last is None or (last.epoch, last.holder) != (epoch, holder):
            return None
        with suppress(CollectorError):
            self._database.command(_FORGET, parameters={"name": self._name, "epoch": epoch})
        return last

    def renew(self, held: Holder, *, released: bool = False) -> None:
        """As :meth:`Claims.renew`: nobody else ever writes this key."""
        self._make(
            f"{self._name}:{held.epoch}",
            held.epoch,
            holder=held.holder,
            address=held.address,
            asked_at=held.asked_at,
            released=released,
            strict=False,
        )

    def _make(
        self,
        claim: str,
        epoch: int,
        *,
        holder: str,
        address: str,
        asked_at: datetime,
        released: bool = False,
        strict: bool = True,
    ) -> None:
        parameters: dict[str, Any] = {
            "claim": claim,
            "name": self._name,
            "epoch": epoch,
            "holder": holder,
            "address": address,
            "asked_at": asked_at.replace(tzinfo=None).isoformat(sep=" "),
            "released": int(released),
        }
        self._database.command(_CLAIM, parameters=parameters, settings={"keeper_map_strict_mode": int(strict)})


class TableClaims:
    """Claims as rows of ``leases``."""

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        sleep: Callable[[float], object] = time.sleep,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._name = name
        self._sleep = sleep
        self._elapsed = elapsed

    def last(self) -> Holder | None:
        """As :meth:`Claims.last`; of several claims to one epoch the first."""
        found = self._database.rows(_IN_TABLE, {"name": self._name})
        return _holder(found[0]) if found else None

    def claim(self, epoch: int, *, holder: str, address: str) -> Holder | None:
        """As :meth:`Claims.claim`, after a pause in which others' claims must have become visible."""
        before = int(self._database.rows(_BEFORE)[0]["epoch"])
        epoch = max(epoch, before + 1)
        begun_s = self._elapsed()
        asked_at = self._database.rows(_NOW)[0]["now"]
        self._write(epoch, holder=holder, address=address, asked_at=asked_at)
        if self._elapsed() - begun_s > _SETTLE_S:  # another may have looked before this was there
            return None
        self._sleep(_SETTLE_S)
        last = self.last()
        return last if last and (last.epoch, last.holder) == (epoch, holder) else None

    def renew(self, held: Holder, *, released: bool = False) -> None:
        """As :meth:`Claims.renew`."""
        self._write(held.epoch, holder=held.holder, address=held.address, asked_at=held.asked_at, released=released)

    def _write(self, epoch: int, *, holder: str, address: str, asked_at: datetime, released: bool = False) -> None:
        row = {"name": self._name, "epoch": epoch, "holder": holder, "address": address, "asked_at": asked_at}
        self._database.insert("leases", [{**row, "released": int(released)}])


def _are_in_keeper(database: Database) -> bool:
    return bool(database.address.cluster and database.rows("EXISTS TABLE lease_claims")[0]["result"])


def _holder(row: Mapping[str, Any]) -> Holder:
    return Holder(**{**row, "released": bool(row["released"])})

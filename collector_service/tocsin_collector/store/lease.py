"""A lease: of several evaluators one works, and another takes over when it has not been heard of.

A table cannot compare and set, so a holder is found in two steps: whoever finds the last holder silent writes the next
epoch, waits until others' claims to it must be visible, and has it when its own was the first. Everything that an evaluator
writes and sends has deterministic ids, so a moment with two of them doubles nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

TTL_S: Final = 15.0
_SETTLE_S: Final = 2.0  # replicas are behind by less
_BIDS: Final = """SELECT epoch, holder, address, asked_at, dateDiff('millisecond', at, now64(6)) / 1000 AS age_s
FROM leases FINAL WHERE name = {name:String} ORDER BY epoch DESC, asked_at, holder LIMIT 100"""


class Table(Protocol):
    """The store, as far as a lease needs it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Insert rows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has a lease."""

    epoch: int
    holder: str
    address: str
    asked_at: datetime
    age_s: float  # since it was renewed

    @property
    def is_live(self) -> bool:
        """Whether it was heard of lately."""
        return self.age_s < TTL_S


def holder_of(table: Table, name: str) -> Holder | None:
    """Say who has a lease, or had it last."""
    bids = table.rows(_BIDS, {"name": name})
    return Holder(**bids[0]) if bids else None


class Lease:
    """One process's claim to a lease."""

    def __init__(
        self,
        table: Table,
        name: str,
        *,
        holder: str,
        address: str,
        sleep: Callable[[float], None] = time.sleep,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._name = name
        self._holder = holder
        self._address = address
        self._sleep = sleep
        self._elapsed = elapsed
        self._own: Holder | None = None
        self._renewed = 0.0

    @property
    def is_held(self) -> bool:
        """Whether this process may act: it has the lease, and renewed it in time."""
        return self._own is not None and self._elapsed() - self._renewed < TTL_S

    def take(self) -> bool:
        """Try once to have it; says whether that came true.

        Raises:
            StoreUnavailable: try again.
        """
        last = holder_of(self._table, self._name)
        if last is not None and last.is_live and last.holder != self._holder:
            return False
        epoch = (last.epoch if last else 0) + 1
        begun = self._elapsed()
        now = self._table.rows("SELECT now64(6, 'UTC') AS now")[0]["now"]
        self._write(epoch, now)
        self._sleep(_SETTLE_S)
        found = holder_of(self._table, self._name)
        if found is None or (found.epoch, found.holder) != (epoch, self._holder):
            return False
        self._own, self._renewed = found, begun
        return True

    def renew(self) -> bool:
        """Say again that it is held; False when another has it.

        Raises:
            StoreUnavailable: try again, before it has run out.
        """
        begun = self._elapsed()
        found = holder_of(self._table, self._name)
        own = self._own
        if own is None or found is None or (found.epoch, found.holder) != (own.epoch, own.holder) or not self.is_held:
            self._own = None
            return False
        self._write(own.epoch, own.asked_at)
        self._renewed = begun
        return True

    def _write(self, epoch: int, asked_at: datetime) -> None:
        row = {
            "name": self._name,
            "epoch": epoch,
            "holder": self._holder,
            "address": self._address,
            "asked_at": asked_at,
        }
        self._table.insert("leases", [row])

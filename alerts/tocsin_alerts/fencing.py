"""What keeps an evaluator that has lost its lease from writing and sending: it is asked before each, and each row names it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tocsin_alerts.courier import Notifier
from tocsin_alerts.errors import Superseded
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.outbox import Notification
from tocsin_alerts.ports import Query
from tocsin_alerts.resending import Resending

_STAMPED: Final = frozenset({"notifications", "guard_events"})  # others get their epoch where their rows are made
_BEGINNINGS: Final = 10  # bits
_ATTEMPTS: Final = (1 << 20) - 1  # of a notification, beside the epoch in its version


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """One evaluator's right to write: which it is in the order of all, and whether it still is."""

    epoch: int
    is_held: Callable[[], bool] = lambda: True

    def require(self) -> None:
        """Let nothing out that is no longer this evaluator's to say.

        Raises:
            Superseded: another may have taken over.
        """
        if not self.is_held():
            raise Superseded(
                f"this evaluator (epoch {self.epoch}) did not renew its lease in time, so another may work: it writes and sends no more"
            )


def next_epoch(query: Query) -> int:
    """Give the epoch after the last that began: for an evaluator that cannot have a rival."""
    found = query.rows(statement("takeover"))
    return epoch_of((int(found[0]["epoch"]) >> _BEGINNINGS) + 1 if found else 1)


def epoch_of(lease: int) -> int:
    """Give the first epoch of a lease: an evaluator whose clock is put back begins again within it."""
    return lease << _BEGINNINGS


@dataclass(frozen=True, slots=True)
class FencedQuery:
    """The store as one evaluator writes to it. An insert under way when the lease runs out is outweighed by its epoch."""

    query: Query
    tenancy: Tenancy

    @property
    def rows_read(self) -> int | None:
        """How many rows it has read from tables, where the store says so."""
        return getattr(self.query, "rows_read", None)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Read, which anybody may."""
        return self.query.rows(sql, parameters)

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Insert rows that say who wrote them.

        Raises:
            Superseded: another may have taken over.
        """
        self.tenancy.require()
        stamped = [self._stamped(table, row) for row in rows] if table in _STAMPED else rows
        self.query.insert(table, stamped, token=token)

    def _stamped(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        epoch = self.tenancy.epoch
        stamped = {**row, "epoch": epoch}
        if (
            table == "notifications"
        ):  # what a later evaluator says became of one counts, however often an earlier one tried
            stamped["version"] = (epoch << 20) | (int(row["version"]) & _ATTEMPTS)
        return stamped


def fenced(notifier: Notifier, tenancy: Tenancy) -> Notifier:
    """Give a way out that one evaluator may use."""
    return FencedResending(notifier, tenancy) if isinstance(notifier, Resending) else FencedNotifier(notifier, tenancy)


@dataclass(frozen=True, slots=True)
class FencedNotifier:
    """A way out that one evaluator may use."""

    notifier: Notifier
    tenancy: Tenancy

    def send(self, notification: Notification, /) -> None:
        """Send, as the notifier does.

        Raises:
            Superseded: another may have taken over, and sends this under the same id.
        """
        self.tenancy.require()
        self.notifier.send(notification)


class FencedResending(FencedNotifier):
    """The same, to a receiver that forgets."""

    __slots__ = ()

    notifier: Any

    @property
    def resend_s(self) -> float:
        """How often what stands is sent again."""
        return float(self.notifier.resend_s)

    @property
    def keep_s(self) -> float:
        """How long the end of an incident is sent again."""
        return float(self.notifier.keep_s)

    def resend(self, standing: Sequence[Notification], /) -> None:
        """Send again, as the notifier does.

        Raises:
            Superseded: another may have taken over, and sends it.
        """
        self.tenancy.require()
        self.notifier.resend(standing)

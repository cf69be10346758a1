"""Outcomes on their way to the collector: queued at once, sent in batches by a thread, kept until acknowledged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tocsin._process.boundary import MISHAPS
from tocsin._process.settings import Address
from tocsin._sending.answers import Client
from tocsin._sending.courier import Courier
from tocsin._sending.journal import Journal
from tocsin._sending.lane import Lane
from tocsin._sending.parcels import Piece, field

if TYPE_CHECKING:
    from tocsin_wire.v1.outcomes_pb2 import Outcome

LIMIT: Final = 65_536  # outcomes that wait; above it, new ones are dropped and counted
_MOST_BYTES: Final = 64 * 1024 * 1024
_MESSAGE: Final = 256  # bytes that a message takes beside its texts
_GATHER_S: Final = 0.02  # how long a first outcome waits for company


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTally:
    """Outcomes by what became of them; the rest still waits."""

    sent: int  # acknowledged: durable in the collector
    rejected: int  # the collector will never take them
    dropped: int  # the queue was full, or the process ended first


class OutcomeQueue:
    """A `Lane` of outcomes. Sending again is harmless: an outcome's id is derived from its content."""

    def __init__(
        self,
        address: Address,
        headers: tuple[tuple[str, str], ...] = (),
        *,
        journal: Journal | None = None,
        compression: str = "",
    ) -> None:
        self._address = address
        self._headers = headers
        self._compression = compression
        self._courier = Courier(
            self._make_client, name="outcomes", receiver=address.target, patient=journal is not None
        )
        self.lane = Lane(
            self._courier,
            _encoded,
            name="tocsin-outcomes",
            most_items=LIMIT,
            most_bytes=_MOST_BYTES,
            weigh=lambda outcome: int(outcome.ByteSize()) + _MESSAGE,
            delay_s=_GATHER_S,
            journal=journal,
        )
        self.put: Callable[[Outcome], bool] = self.lane.put
        self.flush = self.lane.flush
        self.is_full = self.lane.is_full
        self.waiting = self.lane.waiting
        self.close = self.lane.close
        self.before_fork = self.lane.before_fork
        self.after_fork_in_parent = self.lane.after_fork_in_parent
        self.after_fork = self.lane.after_fork

    @property
    def tally(self) -> OutcomeTally:
        """Say what became of them."""
        books = self.lane.books
        return OutcomeTally(sent=books.taken, rejected=books.lost.total(), dropped=books.dropped.total())

    def redirect(self, address: Address, headers: tuple[tuple[str, str], ...], journal: Journal | None = None) -> None:
        """Send to another collector from now on; what is under way is sent again."""
        self._address, self._headers = address, headers
        self._courier.receiver = address.target
        self.lane.redirect(journal)

    def _make_client(self) -> Client:
        from tocsin._sending.client import OUTCOMES, GrpcClient, read_outcomes

        return GrpcClient(self._address, OUTCOMES, read_outcomes, headers=self._headers, compression=self._compression)


def _encoded(outcomes: "Sequence[Outcome]") -> list[Piece]:
    from tocsin._privacy.outcomes import fit_to_leave

    fit = fit_to_leave(list(outcomes))
    if len(fit) < len(outcomes):
        MISHAPS.note(
            "outcomes.privacy",
            ValueError(f"of {len(outcomes) - len(fit)} outcomes nothing may leave: their comments say all they said"),
        )
    return [Piece(None, field(0x0A, outcome.SerializeToString())) for outcome in fit]

"""A lease: of several evaluators one works, and another takes over when it has not been heard of.

Whoever wants it watches the holder's claim on a clock of its own: one that has not been renewed for as long as a lease lasts
has run out, whatever any host's clock says. The holder counts from before its last renewal, so it stops first. Each change of
hands is an epoch, and readers of the journal believe the highest.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

TTL_S: Final = 15.0
RENEWAL_S: Final = TTL_S / 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has a lease, or had it last."""

    epoch: int
    holder: str  # empty: nobody
    address: str  # where its API listens
    asked_at: datetime
    beat: datetime  # renewed, by the store's clock
    age_s: float  # since then, by the same
    released: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it was heard of lately, as far as one look can tell."""
        return bool(self.holder) and not self.released and self.age_s < TTL_S


def elapsed_s() -> float:
    """Read a clock that counts while this process is stopped, and while the machine sleeps where the system can tell."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Claims(Protocol):
    """Where claims to one lease are written down."""

    def last(self) -> Holder | None:
        """Read the claim of the highest epoch."""
        ...

    def claim(self, epoch: int, *, holder: str, address: str) -> Holder | None:
        """Claim an epoch; None when another has it."""
        ...

    def renew(self, held: Holder, *, released: bool = False) -> None:
        """Say of one's own claim that it still holds, or no longer has to."""
        ...


class Lease:
    """One process's part in it.

    Args:
        claims: Where they are written down.
        holder: A name that no other process ever has.
        address: Where its API listens.
        elapsed: Seconds on a clock that goes on while the process or the machine is stopped.
    """

    def __init__(self, claims: Claims, *, holder: str, address: str, elapsed: Callable[[], float] = elapsed_s) -> None:
        self._claims = claims
        self._holder = holder
        self._address = address
        self._elapsed = elapsed
        self._own: Holder | None = None
        self._had = False
        self._renewed_s = 0.0
        self._watched: tuple[int, datetime] | None = None
        self._watched_since_s = 0.0

    @property
    def is_held(self) -> bool:
        """Whether this process may act: it has the lease, and renewed it in time."""
        return self._own is not None and self._elapsed() - self._renewed_s < TTL_S

    @property
    def is_lost(self) -> bool:
        """Whether this process had it and may act no more, ever: what a clock says, while whoever renews it waits for the store."""
        return self._had and not self.is_held

    def moved_to(self, address: str) -> None:
        """Say from the next renewal on that its API listens there."""
        if self._own is not None:
            self._own = replace(self._own, address=address)

    @property
    def epoch(self) -> int:
        """Which change of hands gave it to this process; 0 before."""
        return self._own.epoch if self._own else 0

    def take(self) -> bool:
        """Try once to have it; says whether that came true. Ask again and again: a holder is given time to renew.

        Raises:
            StoreUnavailable: try again.
        """
        begun_s = self._elapsed()
        last = self._claims.last()
        if last is not None and last.holder and not last.released and not self._has_run_out(last):
            return False
        self._own = self._claims.claim((last.epoch if last else 0) + 1, holder=self._holder, address=self._address)
        self._renewed_s = begun_s
        self._had = self.is_held
        return self._had

    def renew(self) -> bool:
        """Say again that it is held; False when another has it, or may have.

        Raises:
            StoreUnavailable: try again, before it has run out.
        """
        begun_s = self._elapsed()
        last, own = self._claims.last(), self._own
        if own is None or last is None or (last.epoch, last.holder) != (own.epoch, own.holder) or not self.is_held:
            self._own = None
            return False
        self._claims.renew(own)
        self._renewed_s = begun_s
        return True

    def release(self) -> None:
        """Leave it to whoever asks next, once nothing more is written under it."""
        own, self._own, self._had = self._own, None, False
        if own is not None:
            self._claims.renew(own, released=True)

    def _has_run_out(self, last: Holder) -> bool:
        if self._watched != (last.epoch, last.beat):
            self._watched, self._watched_since_s = (last.epoch, last.beat), self._elapsed()
        return self._elapsed() - self._watched_since_s >= TTL_S

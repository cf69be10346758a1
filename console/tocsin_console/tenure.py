"""This process's right to evaluate, where others may have it too: taken once, renewed by a loop, given back at the end."""

import logging
import os
import secrets
import socket
from collections.abc import Callable
from typing import Final

from tocsin_alerts.fencing import Tenancy, epoch_of
from tocsin_collector.errors import CollectorError
from tocsin_collector.store.database import Database
from tocsin_collector.store.lease import RENEWAL_S, TTL_S, Holder, Lease
from tocsin_collector.store.lease_claims import claims_in, holder_of
from tocsin_console.errors import Unreachable

LEASE: Final = "evaluator"
ANSWER_S: Final = TTL_S  # what comes later says nothing any more
LOST: Final = "another evaluator took over, or the store did not answer for so long that one may have"
_log = logging.getLogger(__name__)


class Tenure:
    """The evaluator's lease, as this process has it.

    Args:
        database: The store, not used by anybody else.
        through: Another client, which waits no longer for an answer than the lease lasts (:data:`ANSWER_S`).
        address: Where this process's API listens; empty where that is not known yet.
        pause: Waits some seconds, and is cut short when the process ends.
    """

    def __init__(
        self, database: Database, *, through: Database, address: str, pause: Callable[[float], object]
    ) -> None:
        self._database = database
        self._pause = pause
        claims, self.may_wait = claims_in(database, LEASE, through=through)
        holder = f"{socket.gethostname()}:{os.getpid()}-{secrets.token_hex(2)}"
        self.lease = Lease(claims, holder=holder, address=address)

    def tenancy(self) -> Tenancy:
        """Say under which epoch this process writes."""
        return Tenancy(epoch=epoch_of(self.lease.epoch), is_held=lambda: self.lease.is_held)

    def require(self) -> None:
        """Take the lease, or say who has it; one whose holder is silent is waited for until it has run out.

        Raises:
            Unreachable: another evaluator works.
            StoreUnavailable: the store does not answer.
        """
        seen: Holder | None = None
        waited_s = 0.0
        while not self.lease.take():
            found = holder_of(self._database, LEASE)
            if found and ((seen and found.beat != seen.beat) or waited_s > 2 * TTL_S):
                raise Unreachable(
                    f"expected to be the only evaluator over {self._database.address.where}, but {found.holder} (its API at "
                    f"{found.address or 'an address it did not say'}) has the lease since {found.asked_at:%Y-%m-%d %H:%M:%S} UTC and "
                    f"renewed it {max(0.0, found.age_s):.0f} s ago: stop that one first, or run 'tocsin collector' here. Over a cluster "
                    f"with keeper_map_path_prefix, a second 'tocsin evaluator' waits and takes over"
                )
            if found and seen is None:
                _log.info("%s had the lease last: waiting whether it lives, for at most %.0f s", found.holder, TTL_S)
            seen = found or seen
            waited_s += RENEWAL_S
            self._pause(RENEWAL_S)

    def renew(self) -> bool:
        """Keep it; False when it is lost.

        Raises:
            CollectorError: the store did not answer, and the lease has not run out yet: try again.
        """
        try:
            return self.lease.renew()
        except CollectorError:
            if self.lease.is_held:
                raise
            return False

    def release(self) -> None:
        """Leave it to the next, once nothing more is written under it."""
        if not self.lease.epoch:
            return
        try:
            self.lease.release()
        except CollectorError as error:
            _log.warning("the lease is left to run out, in %.0f s: %s", TTL_S, error)

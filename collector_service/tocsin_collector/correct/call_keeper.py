"""What keeps stored calls right between loads: one call a response, a price for every model that has one, outcomes joined."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from tocsin_collector.correct.across import settle_across
from tocsin_collector.correct.corrections import finish_corrections, settle_duplicates
from tocsin_collector.correct.prices import AgreedPrice, Catalogue, Synced, sync
from tocsin_collector.correct.waiting_outcomes import OutcomeKeeper
from tocsin_collector.store.database import Database

_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OVERLAP: Final = timedelta(minutes=15)  # spans of one response arrive this near to each other
_WIDE_OVERLAP: Final = timedelta(days=1)  # or, after an outage of one sender, this near: looked at every hour
_WIDE_EVERY: Final = timedelta(hours=1)


class CallKeeper:
    """Settles and prices what arrived since it last looked. From any thread; one process at a time."""

    def __init__(
        self,
        database: Database,
        agreed: Sequence[AgreedPrice],
        *,
        catalogue: Callable[[], Catalogue],
        now: Callable[[], datetime],
        shards: Callable[[], Sequence[Database]] | None = None,
    ) -> None:
        """Prepare.

        Args:
            database: A client of its own.
            agreed: The prices of tocsin.yaml.
            catalogue: Loads the public list, when first it is asked.
            now: The wall clock, by which rows arrive.
            shards: Opens a client of each shard of a cluster, in order, when first it is asked.
        """
        self._database = database
        self._agreed = tuple(agreed)
        self._load = catalogue
        self._now = now
        self._open_shards = shards
        self._shards: Sequence[Database] = ()
        self._catalogue: Catalogue | None = None
        self._settled_to: datetime | None = None
        self._looked_wide_at = self._priced_to = _EVER
        self._correcting = threading.Lock()
        self._outcomes = OutcomeKeeper(database)

    def settle(self) -> None:
        """Make one call of each response: before evaluating, which must not see two.

        Raises:
            StoreUnavailable: call it again.
        """
        with self._correcting:
            now = self._now()
            shards = self._all_shards()
            wide = now - self._looked_wide_at >= _WIDE_EVERY
            since = (self._settled_to or now) - (_WIDE_OVERLAP if wide else _OVERLAP)
            settle_across(self._database, shards, since)
            for shard in shards:
                settle_duplicates(shard, since)
            self._settled_to = now
            self._looked_wide_at = now if wide else self._looked_wide_at

    def price(self) -> Synced:
        """Find prices for the models of calls that arrived since the last time, of all calls the first time.

        Raises:
            StoreUnavailable: call it again.
        """
        return self._price(self._priced_to - _OVERLAP if self._priced_to > _EVER else _EVER)

    def tidy(self) -> None:
        """Find prices, and the calls of outcomes that did not say everything of them.

        Raises:
            StoreUnavailable: call it again.
        """
        self.price()
        self._outcomes.resolve(self._now())

    def price_all(self) -> Synced:
        """As :meth:`price`, of all calls."""
        return self._price(_EVER)

    def _price(self, since: datetime) -> Synced:
        self._catalogue = self._catalogue or self._load()  # takes a while, and holds nobody up
        with self._correcting:
            now = self._now()
            shards = self._all_shards()
            synced = sync(self._database, self._catalogue, self._agreed, since=since, now=now, shards=shards)
            self._priced_to = now
        return synced

    def _all_shards(self) -> Sequence[Database]:
        if not self._shards:
            shards = self._open_shards() if self._open_shards else [self._database]
            for shard in shards:
                finish_corrections(shard)
            self._shards = shards
        return self._shards

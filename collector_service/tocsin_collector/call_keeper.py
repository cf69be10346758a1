"""What keeps stored calls right between loads: one call a response, a price for every model that has one."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from tocsin_collector.corrections import finish_corrections, settle_duplicates
from tocsin_collector.database import Database
from tocsin_collector.prices import AgreedPrice, Catalogue, Synced, sync

_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OVERLAP: Final = timedelta(minutes=15)  # spans of one response arrive this near to each other
_WIDE_OVERLAP: Final = timedelta(days=1)  # or, after an outage of one sender, this near: looked at every hour
_WIDE_EVERY: Final = timedelta(hours=1)
_PRICES_EVERY: Final = timedelta(seconds=30)


class CallKeeper:
    """Settles what arrived since it last looked. Call it before evaluating; one process at a time."""

    def __init__(
        self,
        database: Database,
        agreed: Sequence[AgreedPrice],
        *,
        catalogue: Callable[[], Catalogue],
        now: Callable[[], datetime],
    ) -> None:
        """Prepare.

        Args:
            database: A client of its own.
            agreed: The prices of tocsin.yaml.
            catalogue: Loads the public list, when first it is asked.
            now: The wall clock, by which rows arrive.
        """
        self._database = database
        self._agreed = tuple(agreed)
        self._load = catalogue
        self._now = now
        self._catalogue: Catalogue | None = None
        self._settled_to: datetime | None = None
        self._looked_wide_at = self._priced_at = _EVER
        self._busy = threading.Lock()

    def turn(self) -> None:
        """Make one call of each response, and every half minute look for models without a price.

        Raises:
            StoreUnavailable: take the turn again.
        """
        with self._busy:
            now = self._now()
            if self._settled_to is None:
                finish_corrections(self._database)
            wide = now - self._looked_wide_at >= _WIDE_EVERY
            since = (self._settled_to or now) - (_WIDE_OVERLAP if wide else _OVERLAP)
            settle_duplicates(self._database, since)
            self._settled_to = now
            self._looked_wide_at = now if wide else self._looked_wide_at
            if now - self._priced_at >= _PRICES_EVERY:
                since = self._priced_at - _OVERLAP if self._priced_at > _EVER else _EVER
                self._sync(since, now)

    def sync_prices(self) -> Synced:
        """Look at every call and price that there is, now.

        Raises:
            StoreUnavailable: run it again.
        """
        with self._busy:
            return self._sync(_EVER, self._now())

    def _sync(self, since: datetime, now: datetime) -> Synced:
        self._catalogue = self._catalogue or self._load()
        synced = sync(self._database, self._catalogue, self._agreed, since=since, now=now)
        self._priced_at = now
        return synced

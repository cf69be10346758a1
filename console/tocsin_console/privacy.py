"""Forgetting, with everything that it touches: what waits is loaded first, then the tables are erased from."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tocsin_collector.collector import Collector
from tocsin_collector.errors import StoreUnavailable, Unauthenticated
from tocsin_collector.load.watermark import Watermark
from tocsin_collector.privacy.forget import Erased, Report, Request, forget
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.store.database import Database
from tocsin_console.at_rest import opened
from tocsin_console.config import Config

_PATIENCE_S = 60.0
_LOOK_S = 0.05


class Forgetting:
    """Forgets one thing at a time, over the store of a running process and every collector that fills it."""

    def __init__(
        self,
        store: Database,
        *,
        watermark: Callable[[], Watermark],
        waiting: Callable[[], int],
        now: Callable[[], datetime],
        damaged: Path | None = None,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """Prepare.

        Args:
            store: A client that nobody else uses.
            watermark: Up to when everything is loaded that any live collector of the store received.
            waiting: Requests in this process's spool, for the report.
            now: The time of day.
            damaged: Where this process keeps what is left of damaged bytes of its spool.
            patience_s: How long to wait for the loading.
        """
        self._store = store
        self._watermark = watermark
        self._waiting = waiting
        self._now = now
        self._damaged = damaged
        self._patience_s = patience_s
        self._one_at_a_time = threading.Lock()

    def __call__(self, request: Request, *, by: str, dry_run: bool = False) -> Report:
        """Load what was received until now, then erase.

        Raises:
            StoreUnavailable: the spool could not be emptied, or the store did not answer; run it again.
        """
        with self._one_at_a_time:
            asked_at = self._now()
            waited = self._waiting()
            self._wait_until_loaded(asked_at)
            report = forget(self._store, request, by=by, now=asked_at, dry_run=dry_run, damaged=self._damaged)
        return replace(report, places=[Erased(place="spool", before=waited, after=0), *report.places])

    def _wait_until_loaded(self, asked_at: datetime) -> None:
        ends = threading.Event()
        deadline = time.monotonic() + self._patience_s
        while (complete_to := self._watermark().complete_to) < asked_at:
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"expected the spool to be loaded within {self._patience_s:.0f} s, so that nothing of theirs comes after, "
                    f"but it still holds something from {complete_to:%H:%M:%S} UTC: look at "
                    f"'tocsin status', then run this again"
                )
            ends.wait(_LOOK_S)


class ClosedRing:
    """Lets nobody send: the collector was started only to load what waits."""

    def project_of(self, _presented: str | None, /) -> str:
        """Refuse.

        Raises:
            Unauthenticated: always.
        """
        raise Unauthenticated("expected no requests while data is being erased: send this to the collector itself")


def forget_at_rest(config: Config, request: Request, *, by: str, dry_run: bool) -> Report:
    """Forget while nothing runs: the store is opened here, and what waits in the spool is loaded into it.

    Raises:
        StoreInUse: something runs after all.
        StoreUnavailable: run it again.
    """

    def now() -> datetime:
        return datetime.now(UTC)

    with opened(config, now=now()) as database:
        settings = CollectorSettings(
            data_dir=config.data_dir,
            grpc_address="127.0.0.1:0",
            name=config.collector_name,
            keep_long_values=config.limits.keep_long_values,
            redactions=config.redactions,
        )
        collector = Collector(settings, database, keyring=ClosedRing())
        collector.start()
        try:
            forgetting = Forgetting(
                database,
                watermark=collector.watermark,
                waiting=lambda: collector.stats().waiting_requests,
                now=now,
                damaged=settings.spool_dir / "damaged",
            )
            return forgetting(request, by=by, dry_run=dry_run)
        finally:
            collector.stop()

"""The intake without servers or disk: a million requests in minutes."""

import time
from pathlib import Path
from threading import Event
from typing import Any, cast

from _faults.wire import Signal
from tocsin_collector.errors import CollectorError
from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.tally import Tally
from tocsin_collector.receive import otlp_json
from tocsin_collector.receive.intake import Intake
from tocsin_collector.receive.retries import RecentRequests
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.spool.spool import Spool


class _Kept:
    done = Event()

    def wait(self, _timeout_s: float) -> None:
        """Durable at once."""


class _NoSpool:
    def submit(self, *_: Any, **__: Any) -> _Kept:
        """Keep nothing."""
        return _Kept()


class Direct:
    """Takes requests, and counts what came of them."""

    def __init__(self) -> None:
        spools = {kind: cast(Spool, _NoSpool()) for kind in cast(tuple[Kind, ...], ("traces", "logs"))}
        settings = CollectorSettings(data_dir=Path())
        self._intake = Intake(settings, spools, RecentRequests(), Tally(), time.time_ns)
        self.taken = self.refused = self.crashes = 0
        self.slowest_s = 0.0

    def take(self, signal: Signal, body: bytes, *, as_json: bool) -> None:
        """Take one in; anything raised but a refusal is a crash."""
        began = time.perf_counter()
        try:
            with self._intake.receiving(signal) as passage:
                message = otlp_json.encode(signal, body) if as_json else body
                self._intake.keep(signal, message, passage, project="default")
            self.taken += 1
        except CollectorError:
            self.refused += 1
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            print(f"  crash: {type(error).__name__}: {error} on {body[:200]!r}", flush=True)
            self.crashes += 1
        self.slowest_s = max(self.slowest_s, time.perf_counter() - began)

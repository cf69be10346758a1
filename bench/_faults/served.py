"""A collector in a process of its own: it answers questions, and breaks its disk, clock or loader when told to."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from _faults.breaking import BreakableDisk, JumpingClock, PausableStore
from _faults.proof import held
from tocsin_collector.collector import Collector
from tocsin_collector.load.decoder import BLOCK_SETTINGS
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import Migration, migrate, shipped

_MIB = b"\0" * 1024 * 1024


class Served:
    """The collector and everything of it that can be broken."""

    def __init__(self, folder: Path, url: str, settings: Mapping[str, Any], build: Mapping[str, Any]) -> None:
        self._folder = folder
        cast(dict[str, Any], BLOCK_SETTINGS).update(build.get("block_settings", {}))
        hosts, _, cluster = url.partition("#")
        first, *more = hosts.split(",")
        served = StoreAddress(url=first, more_urls=tuple(more), cluster=cluster) if url else None
        self._database = Database.open(served or StoreAddress(path=folder / "store"))
        version: dict[str, Any] = {"version": build["version"]} if "version" in build else {}
        if "later" in build:  # a version that is not written yet
            version["known"] = (*shipped(), Migration(name="9999_later.sql", text=build["later"]))
        migrate(self._database, now=datetime.now(UTC), **version)
        self._disk, self._clock = BreakableDisk(), JumpingClock()
        self._stores = [PausableStore(), PausableStore()]
        self._collector = Collector(
            CollectorSettings(data_dir=folder, **settings),
            self._database,
            disk=self._disk,
            clock=self._clock,
            stores=self._stores,
        )
        if build.get("waits"):
            self.loader(runs=False)
        for store in self._stores:
            store.inner = self._collector._own_store()  # noqa: SLF001 - the one that it would take itself

    def start(self) -> int:
        """Listen; return the port."""
        self._collector.start()
        return self._collector.grpc_port

    def end(self, *_: object) -> None:
        """End as `tocsin up` does."""
        self.loader(runs=True)
        self._collector.stop()
        self._database.close()
        os._exit(0)

    def stats(self) -> dict[str, Any]:
        """Read the books."""
        books = self._collector.stats()
        return {name: getattr(books, name) for name in books.__slots__}

    def held(self) -> dict[str, Any]:
        """Say what the tables hold."""
        return held(self._database)

    def rows(self, sql: str) -> dict[str, Any]:
        """Run a SELECT; every value as text."""
        return {"rows": [{k: str(v) for k, v in row.items()} for row in self._database.rows(sql)]}

    def disk(self, mode: str) -> dict[str, Any]:
        """Break the spool's disk, or mend it; say how often it failed so far."""
        self._disk.mode = mode
        return dict(self._disk.counters)

    def fill(self, but: int) -> dict[str, Any]:
        """Fill the filesystem, but for so many bytes."""
        with contextlib.suppress(OSError), (self._folder / "ballast").open("ab", buffering=0) as ballast:
            while (free := self._free() - but) > 0:
                ballast.write(_MIB[:free])
        return {"left": self._free()}

    def free(self) -> dict[str, Any]:
        """Free what was filled."""
        (self._folder / "ballast").unlink()
        return {"left": self._free()}

    def clock(self, offset_ns: int) -> dict[str, Any]:
        """Have the collector's clock be wrong by this much from now on; say what its watermark is."""
        self._clock.offset_ns = offset_ns
        return self.watermark()

    def watermark(self) -> dict[str, Any]:
        """Say up to when everything is loaded."""
        mark = self._collector.watermark()
        return {"complete_to": str(mark.complete_to), "data_complete_to": str(mark.data_complete_to)}

    def loader(self, *, runs: bool) -> dict[str, Any]:
        """Let segments into the store, or have them wait."""
        for store in self._stores:
            (store.resume if runs else store.pause)()
        return {"under_way": sum(store.under_way for store in self._stores)}

    def answers(self, *, come: bool) -> dict[str, Any]:
        """Have the store say what it did, or have that be lost; say of how many segments it was."""
        for store in self._stores:
            store.answers = come
        return {"unanswered": len(set[str]().union(*(store.unanswered for store in self._stores)))}

    def _free(self) -> int:
        system = os.statvfs(self._folder)
        return system.f_bavail * system.f_frsize


def main(folder: Path, url: str, settings: Mapping[str, Any], build: Mapping[str, Any]) -> None:
    """Be the collector, until told to end or nobody asks any more."""
    served = Served(folder, url, settings, build)
    port = served.start()
    signal.signal(signal.SIGTERM, served.end)
    _say(port=port)
    for line in sys.stdin:
        asked = json.loads(line)
        _say(**getattr(served, asked.pop("ask"))(**asked))
    os._exit(0)  # whoever started it is gone


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4]))

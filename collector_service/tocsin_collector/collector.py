"""The collector: receivers, spools, loader and watermark, joined."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from tocsin_collector.errors import CollectorError, StoreUnavailable
from tocsin_collector.load.careful import CarefulStore, SettlingStore
from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.ledger import Ledger, kinds
from tocsin_collector.load.loader import Loader
from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.load.tally import CollectorStats, Tally
from tocsin_collector.load.watermark import Watermark, WatermarkKeeper
from tocsin_collector.receive.admission import DEFAULT_PROJECT, KeyRing
from tocsin_collector.receive.grpc_server import GrpcServer
from tocsin_collector.receive.http_server import HttpServer
from tocsin_collector.receive.intake import Intake
from tocsin_collector.receive.retries import RecentRequests
from tocsin_collector.receive.retry_log import RetryLog
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.spool.damaged import DamagedFolder
from tocsin_collector.spool.data_folder import FolderLock
from tocsin_collector.spool.disk import Disk, RealDisk
from tocsin_collector.spool.mending import Mender
from tocsin_collector.spool.second_chance import Batch, DeadLetters
from tocsin_collector.spool.segments import Segment, of_seal, sum_up
from tocsin_collector.spool.spool import Spool
from tocsin_collector.spool.spool_folder import Shelves, SpoolFolder
from tocsin_collector.store.cluster import ClusterStore
from tocsin_collector.store.database import IN_MEMORY, Database, StoreAddress
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest, RecordOutcomesResponse

_Owned = TypeVar("_Owned", Database, ClusterStore)
_EMBEDDED_HEARTBEAT_S = 60.0


class Collector:
    """Takes OTLP and outcomes in; everything it acknowledged is in the store in the end."""

    def __init__(
        self,
        settings: CollectorSettings,
        database: Database,
        *,
        clock: Callable[[], int] = time.time_ns,
        disk: Disk | None = None,
        stores: Sequence[SettlingStore] = (),
        keyring: KeyRing | None = None,
    ) -> None:
        """Prepare; nothing is opened before :meth:`start`.

        Args:
            settings: Where to listen and spool.
            database: A migrated store; the collector opens siblings of its own.
            clock: Nanoseconds since 1970: when requests are received, and now for the watermark.
            disk: The spool's disk, for tests that break it.
            stores: Where segments go, for tests that refuse them; else as the database is. One insert at a time in each.
            keyring: Knows the ingest keys; else everybody's project is ``default``.
        """
        self._settings = settings
        self._database = database
        self._clock = clock
        self._disk = disk or RealDisk()
        self._stores = stores
        self._tally = Tally()
        self._recent = RecentRequests(settings.recent_requests)
        self._queueing = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._spools: dict[Kind, Spool] = {}
        self._letters: dict[str, Batch] = {}  # by the hash of the segment in which they are tried again
        self._watermark = WatermarkKeeper(clock, self._oldest_unsealed_ns)
        self._shelves = Shelves(lambda kind: self._spools[kind].reserve(), self._watermark.sealed)
        self._intake = Intake(settings, self._spools, self._recent, self._tally, clock)
        self._servers = (
            GrpcServer(settings, self._intake, keyring),
            HttpServer(settings, self._intake, keyring),
        )
        self._loader: Loader | None = None
        self._ledger: Ledger | None = None
        self._dead_letters: DeadLetters | None = None
        self._owned: list[Database | ClusterStore] = []
        self._lock: FolderLock | None = None
        self._pulse: Ledger | None = None  # in a client of its own
        self._ending = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="tocsin-heartbeat", daemon=True)

    def start(self) -> None:
        """Recover what an earlier run left in the spool, then listen.

        Raises:
            StoreInUse: another collector uses the data folder.
            AddressInUse: another process listens on the address.
            StoreUnavailable: the store does not answer.
        """
        self._lock = FolderLock.take(self._settings.spool_dir)
        database = self._own(self._database.sibling())
        self._ledger = Ledger(database, self._clock, self._settings.redactions)
        self._dead_letters = DeadLetters(database)
        mender = self._mender(self._ledger)
        stores = self._stores or [self._own_store() for _ in range(self._settings.loads_at_once)]
        self._loader = Loader(
            CarefulStore(stores, self._ledger),
            self._ledger,
            self._tally,
            prove=mender.prove,
            shelf=self._shelves,
            gone=self._on_gone,
            at_once=len(stores),
        )
        self._watermark.restore(self._ledger.read_watermark(self._settings.name)[1])
        retries = RetryLog(self._settings.spool_dir / "recent.log", kept=self._settings.recent_requests)
        self._remember(retries.read())
        for kind in kinds():
            folder = SpoolFolder(kind, self._settings.spool_dir / kind, mender, retries)
            number = self._recover(self._shelves.put_up(kind, folder), kind, self._ledger, self._loader)
            self._spools[kind] = Spool(
                kind,
                self._settings,
                self._disk,
                sealed=self._on_sealed,
                drain=self._loader,
                first_number=number,
            )
        self._loader.start()
        for spool in self._spools.values():
            spool.start()
        for server in self._servers:
            server.start()
        self._pulse = Ledger(self._own(self._database.sibling()), self._clock)
        self._heart.start()

    def stop(self, drain_s: float = 10.0) -> None:
        """Stop listening, make durable what was received, load for at most `drain_s`; the rest stays in the spool.

        Stopping again does nothing.
        """
        if self._lock is None:
            return
        self._ending.set()
        for server in self._servers:
            server.stop()
        for spool in self._spools.values():
            spool.stop()
        if self._loader is not None:
            self._loader.stop(drain_s)
        if self._heart.is_alive():
            self._heart.join(drain_s)  # it may wait for the store
        self._keep_watermark(is_ended=self._watermark.is_empty())
        for database in self._owned:
            database.close()
        self._lock.release()
        self._lock = None

    @property
    def settings(self) -> CollectorSettings:
        """What it was told."""
        return self._settings

    @property
    def grpc_port(self) -> int:
        """The port it listens on for OTLP/gRPC and outcomes, once started."""
        return self._servers[0].port

    @property
    def http_port(self) -> int:
        """The port it listens on for OTLP/HTTP, once started; 0: it does not."""
        return self._servers[1].port

    def record(self, request: RecordOutcomesRequest, project: str = DEFAULT_PROJECT) -> RecordOutcomesResponse:
        """Take outcomes from this process, as the gRPC service takes them from others.

        Raises:
            Overloaded: send them again.
        """
        return self._intake.take_outcomes(request.SerializeToString(), project=project)

    def stats(self) -> CollectorStats:
        """Read the books."""
        return self._tally.snapshot()

    def watermark(self) -> Watermark:
        """Say up to when everything is loaded."""
        return self._watermark.read()

    def queue(self, batch: Batch) -> bool:
        """Load requests that lay elsewhere; False when the ledger knows that they are stored.

        Raises:
            StoreUnavailable: the ledger does not answer.
            OSError: the spool's disk does not take them.
        """
        if self._ledger is None or self._loader is None:
            raise StoreUnavailable("expected a collector that runs: start it")
        with self._queueing:
            said = sum_up(batch.requests, 0)
            if batch.hash in self._letters:
                return True  # on its way
            if self._ledger.state(batch.hash, batch.kind) == "loaded":
                return False
            segment = of_seal(batch.kind, self._settings.spool_dir, said)
            self._ledger.write(segment, "begun")  # so that a restart does not take it for set aside
            segment = self._shelves.add(batch.kind, batch.requests)
            self._letters[batch.hash] = batch
        self._tally.count(batch.kind, "received", requests=segment.requests, items=segment.items)
        self._tally.spooled(segment.size_bytes)
        self._loader.put(segment)
        return True

    def on_loaded(self, callback: Callable[[], None]) -> None:
        """Have a function called, from any thread, whenever new rows can be queried."""
        self._callbacks.append(callback)

    def _own(self, owned: _Owned) -> _Owned:
        self._owned.append(owned)
        return owned

    def _own_store(self) -> SettlingStore:
        database = self._own(self._database.sibling())
        if database.address.is_embedded:
            return EmbeddedStore(database, self._settings.redactions)
        engine = self._own(Database.open(StoreAddress(path=IN_MEMORY)))
        if database.address.cluster:
            return self._own(ClusterStore(database, engine, self._settings.redactions))
        return ServerStore(database, engine, self._settings.redactions)

    def _recover(self, folder: SpoolFolder, kind: Kind, ledger: Ledger, loader: Loader) -> int:
        """Queue what an earlier run left behind; return the next segment's number."""
        left = list(folder.recover(self._remember, most_keys=self._settings.recent_requests))
        loaded = ledger.loaded(left)
        for segment in left:
            if segment.hash in loaded:
                folder.leave(segment)
                self._watermark.restore(segment.last_end_ns)
                continue
            self._tally.count(kind, "received", requests=segment.requests, items=segment.items)
            self._tally.spooled(segment.size_bytes)
            self._watermark.sealed(segment)
            loader.put(segment)
        for _ in folder.strange:
            self._tally.strange()
        return folder.next_number

    def _remember(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self._recent.remember(key)

    def _mender(self, ledger: Ledger) -> Mender:
        settings = self._settings
        damaged = DamagedFolder(settings.spool_dir / "damaged", max_bytes=settings.damaged_max_bytes)
        return Mender(ledger, self._tally, damaged, prove_after_s=settings.prove_after_s)

    def _on_sealed(self, segment: Segment) -> None:
        self._tally.spooled(segment.size_bytes)
        self._watermark.sealed(segment)
        if self._loader is not None:
            self._loader.put(segment)

    def _on_gone(self, segment: Segment, last_end_ns: int) -> None:
        self._watermark.loaded(dataclasses.replace(segment, last_end_ns=last_end_ns))
        self._settle_letters(segment)
        self._keep_watermark()
        for callback in self._callbacks:
            callback()

    def _settle_letters(self, segment: Segment) -> None:
        batch = self._letters.pop(segment.hash, None)
        if batch is None or not batch.digests or self._ledger is None or self._dead_letters is None:
            return
        try:
            if self._ledger.state(segment.hash, segment.kind) == "loaded":
                self._dead_letters.forget(batch)
        except CollectorError as error:  # asked to retry it again, the ledger knows that it is stored
            self._tally.failed(error)

    def _beat(self) -> None:
        """Write the watermark when nothing arrives too: evaluators elsewhere wait for it, and a silent collector is an alert."""
        period_s = self._settings.heartbeat_s
        if self._database.address.is_embedded:  # nobody waits; what an earlier process wrote last may be days old
            period_s = max(period_s, _EMBEDDED_HEARTBEAT_S)
            self._keep_watermark(self._pulse)
        while not self._ending.wait(period_s):
            self._keep_watermark(self._pulse)

    def _keep_watermark(self, ledger: Ledger | None = None, *, is_ended: bool = False) -> None:
        ledger = ledger or self._ledger
        if ledger is None:
            return
        try:
            marks, unfit = self._watermark.read_ns(), self._tally.snapshot().unfit
            ledger.write_watermark(self._settings.name, *marks, is_ended=is_ended, unfit=unfit)
        except CollectorError as error:  # it is written again with the next segment
            self._tally.failed(error)

    def _oldest_unsealed_ns(self) -> int | None:
        oldest = [spool.oldest_unsealed_ns() for spool in tuple(self._spools.values())]
        return min((when for when in oldest if when is not None), default=None)

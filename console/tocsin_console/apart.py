"""The parts of ``tocsin up`` in processes of their own, over one server.

Any number of collectors; of several evaluators one works, and the others wait where there is a Keeper, else they are refused; any
number of consoles.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin_alerts.engine import Engine
from tocsin_alerts.outbox import Notification
from tocsin_alerts.status import UseCaseStatus
from tocsin_collector.errors import CollectorError
from tocsin_collector.load.watermark import Watermark
from tocsin_collector.store.database import Database
from tocsin_collector.store.lease import RENEWAL_S
from tocsin_collector.store.lease_claims import holder_of
from tocsin_console.addresses import Address
from tocsin_console.api.app import build_app
from tocsin_console.api.outcomes import outcome_route
from tocsin_console.api.server import ApiServer
from tocsin_console.api.small import Switch, build_small_app
from tocsin_console.api.spool import spool_routes
from tocsin_console.collecting import Collecting
from tocsin_console.errors import UsageProblem
from tocsin_console.loop import Loop
from tocsin_console.outcomes import record_outcomes
from tocsin_console.presenting import Presenting
from tocsin_console.process import RoleProcess, now
from tocsin_console.roles import (
    NO_DELIVERY,
    Elsewhere,
    EvaluatorOf,
    GuardElsewhere,
    Others,
    Role,
    collectors_of,
)
from tocsin_console.spool_desk import SpoolDesk
from tocsin_console.tenure import ANSWER_S, LEASE, LOST, Tenure
from tocsin_wire.version import version

_JOURNAL = ("takeovers", "alert_state", "alert_events", "rule_runs")
_NEWS = timedelta(seconds=10)  # new use cases are looked for as often
_FRESH = timedelta(seconds=5)  # of what a console shows
_END_S = 15.0
_log = logging.getLogger(__name__)


class CollectorAlone(Collecting):
    """``tocsin collector``: receivers, spool and loader, with figures of their own."""

    role: Role = "collector"

    def start(self) -> dict[str, Any]:
        """As :meth:`RoleProcess.start`."""
        self._check()
        self._open()
        self._make_collector()
        self._start_collector()
        return self._announce(self._start_api())

    def _addresses(self) -> dict[str, str]:
        return self._intake_addresses()

    def _start_api(self) -> dict[str, str]:
        addresses = self._addresses()
        spool = self._config.data_dir / "spool"
        desk = SpoolDesk(spool, self._sibling(), self._collector.queue)
        app = build_small_app(
            self._state,
            any_host=self._config.api_takes_any_host,
            identify=self._access()[1],
            acted=self._acted,
            more=[
                *spool_routes(spool, desk),
                outcome_route(lambda said: record_outcomes(self._collector.record, said)),
            ],
        )
        server = ApiServer(app, self._config.api)
        self._ends.callback(lambda: server.stop(timeout_s=5.0))
        addresses["api"] = str(server.start())
        return addresses

    def _state(self) -> dict[str, Any]:
        complete_to = self._collector.watermark().complete_to
        return {
            **_state_of(self, self._started_at),
            "ready": True,
            "name": self._config.collector_name,
            "collector": asdict(self._collector.stats()),
            "spool_max_bytes": self._collector.settings.spool_max_bytes,
            "lag_s": max(0.0, (now() - complete_to).total_seconds()),
        }


class EvaluatorAlone(Presenting):
    """``tocsin evaluator``: rules, guard and delivery, once it has the lease; until then it waits."""

    role: Role = "evaluator"
    _tenure: Tenure

    def start(self) -> dict[str, Any]:
        """Listen, and wait for the lease in the background; as :meth:`RoleProcess.start` otherwise."""
        self._check()
        self._read_files()
        self._open()
        self._elsewhere = Elsewhere(self.role, self._fleet, collectors=collectors_of(self._config))
        self._is_working = False
        waiting = build_small_app(
            self._waiting,
            any_host=self._config.api_takes_any_host,
            identify=self._access()[1],
            acted=self._acted,
        )
        self._switch = Switch(waiting)
        server = ApiServer(self._switch, self._config.api)
        self._ends.callback(lambda: server.stop(timeout_s=5.0))
        self._api = str(server.start())
        self._ending = threading.Event()
        self._tenure = Tenure(
            self._sibling(),
            through=self._sibling(timeout_s=ANSWER_S),
            address=self._api,
            pause=self._ending.wait,
        )
        if not self._tenure.may_wait:
            self._tenure.require()
        self._lease_loop = Loop("lease", self._keep_lease, period_s=RENEWAL_S)
        self._ends.callback(self._tenure.release)  # last, when nothing works any more
        self._ends.callback(lambda: self._lease_loop.stop(timeout_s=_END_S))
        self._ends.callback(self._ending.set)
        self._lease_loop.start()
        return self._announce({"api": self._api, "guard": str(self._config.guard)})

    def _keep_lease(self) -> None:
        if self._is_working:
            if not self._tenure.renew():
                self.failure = LOST
        elif self._tenure.lease.is_held or self._tenure.lease.take():
            _log.info("this evaluator has the lease and works")
            self._is_working = True
            # Beside this thread: what was journalled may take longer to read than the lease lasts.
            starting = threading.Thread(target=self._work, name="tocsin-start", daemon=True)
            starting.start()
            self._ends.callback(starting.join, _END_S)

    def _work(self) -> None:
        try:
            self._tenancy = self._tenure.tenancy()
            self._catch_up_replica()
            self._read_rules()
            self._sync_tables()
            self._start_alerts(self._reading)
            self._start_prices()
            self._start_disk_watch()
            self._heard_at = now()
            self._loop.start()
            self._switch.app = build_app(self._parts(self._addresses()))
            self._start_reports()
        except Exception as error:  # noqa: BLE001 - a thread's boundary: the process ends by it
            _log.exception("the evaluator could not start")
            self.failure = f"the evaluator could not start: {error}"

    def _catch_up_replica(self) -> None:
        """Wait for what the evaluator before wrote on another node."""
        if self._config.store.cluster:
            try:
                for table in _JOURNAL:
                    self._database.command(f"SYSTEM SYNC REPLICA {table} LIGHTWEIGHT")
            except CollectorError as error:
                _log.warning("what the evaluator before wrote last may not be here yet: %s", error)

    def _turn(self) -> None:
        if now() - self._heard_at > _NEWS:
            self._heard_at = now()
            self._evaluation.data_arrived()
            for member in self._fleet.silent():
                _log.warning(
                    "the collector %s was last heard of at %s: slots since then may lack what it received",
                    member.name,
                    member.heard_at.isoformat(timespec="seconds"),
                )
        super()._turn()

    def _watermark(self) -> Watermark:
        return self._fleet.watermark()

    def _addresses(self) -> dict[str, str]:
        return {"api": self._api, "guard": str(Address(host=self._config.guard.host, port=self._guard_server.port))}

    def _others(self) -> Others:
        return Others(
            collector=self._elsewhere,
            guard=self._guard,
            evaluated_through=self._evaluated_through,
            delivery_stats=lambda: asdict(self._delivery.stats()),
            loops=lambda: {
                "engine": self._loop.stats(),
                "lease": self._lease_loop.stats(),
                "prices": self._prices.stats(),
                "bars": self._bars_loop.stats(),
                "contents": self._contents_loop.stats(),
                "retraining": self._retraining_loop.stats(),
                **({"dead man": self._dead_man_loop.stats()} if self._dead_man_loop else {}),
                **({"adopted tables": self._adopted_loop.stats()} if self._adopted_loop else {}),
            },
            sync_prices=self._keeper.price_all,
            guard_changed=self._guard_changed,
            record_outcomes=self._elsewhere.record_outcomes,
        )

    def _waiting(self) -> dict[str, Any]:
        holder = holder_of(self._own_reading(), LEASE)
        return {
            **_state_of(self, self._started_at),
            "ready": False,
            "waits_for": holder and holder.holder,
            "collector": None,
            "lag_s": None,
        }

    def _own_reading(self) -> Database:
        if not hasattr(self, "_reading_client"):
            self._reading_client = self._sibling()
        return self._reading_client


class ConsoleAlone(Presenting):
    """``tocsin console``: the API and the page."""

    role: Role = "console"

    def start(self) -> dict[str, Any]:
        """As :meth:`RoleProcess.start`."""
        self._check()
        self._read_files()
        self._open()
        self._read_rules()
        self._elsewhere = Elsewhere(self.role, self._fleet, collectors=collectors_of(self._config))
        self._onlooker = Onlooker(lambda: self._make_engine(self._reading, ()), now=now)
        leases = self._sibling()
        self._evaluator = EvaluatorOf(lambda: holder_of(leases, LEASE), secret=self._config.peer_secret)
        self._start_disk_watch()
        return self._announce(self._start_api())

    def _watermark(self) -> Watermark:
        return self._fleet.watermark()

    def _evaluated_through(self) -> datetime | None:
        return self._onlooker.engine().evaluated_through()

    def _addresses(self) -> dict[str, str]:
        return {}

    def _post(self, _messages: Sequence[Notification]) -> Sequence[str]:
        raise UsageProblem("one process tells people: ask the evaluator, with --api and the address where it listens")

    def _statuses(self, reading: Database) -> Sequence[UseCaseStatus]:
        return self._onlooker.engine().status(query=reading)

    def _others(self) -> Others:
        return Others(
            collector=self._elsewhere,
            guard=GuardElsewhere(self._evaluator),
            evaluated_through=self._evaluated_through,
            delivery_stats=lambda: NO_DELIVERY,
            loops=lambda: {"disk": self._disk_loop.stats()},
            record_outcomes=self._elsewhere.record_outcomes,
        )


class Onlooker:
    """An engine that never ticks: it reads what the evaluator's has written, anew every few seconds."""

    def __init__(self, make: Callable[[], Engine], *, now: Callable[[], datetime]) -> None:
        self._make = make
        self._now = now
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._read_at = datetime.min.replace(tzinfo=UTC)

    def engine(self) -> Engine:
        """Give one that has read lately."""
        with self._lock:
            if self._engine is None:
                self._engine = self._make()
                self._read_at = self._now()
            elif self._now() - self._read_at > _FRESH:
                self._engine.read_again()
                self._read_at = self._now()
            return self._engine


def _state_of(part: RoleProcess, started_at: datetime) -> dict[str, Any]:
    return {
        "version": version(),
        "role": part.role,
        "info": {"version": version(), "role": part.role},
        "started_at": started_at,
        "uptime_s": (now() - started_at).total_seconds(),
    }

"""What every role's process does: it reads its files, opens the store and says where it listens."""

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from tocsin_alerts.audit import record
from tocsin_alerts.charts.drawer import Draw, Drawer, can_draw, no_chart
from tocsin_alerts.chat_threads import ChatThreads
from tocsin_alerts.plan import Plans
from tocsin_collector.load.fleet import Fleet
from tocsin_collector.privacy.rule_trial import require_runnable
from tocsin_collector.receive.ingest_keys import IngestKeys
from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import migrate
from tocsin_collector.store.retention import keep
from tocsin_console import rulebook, running, tables
from tocsin_console.access.gate import ByKey, ByProxy, Identify, anybody
from tocsin_console.access.tokens import AccessKeys
from tocsin_console.addresses import Address, Protection, require_free, require_protected
from tocsin_console.api.outcomes import OUTCOMES
from tocsin_console.config import Config
from tocsin_console.dead_man import DeadMan
from tocsin_console.errors import UsageProblem
from tocsin_console.notifiers import with_notifiers
from tocsin_console.retraining import actions_of
from tocsin_console.roles import LISTENS, Role, require_server
from tocsin_wire import TocsinError
from tocsin_wire.version import version

_MOST_OF_A_PATH = 500
_NEEDS: Mapping[str, Protection] = {"grpc": "tls and keys", "http": "tls and keys", "guard": "tls", "api": "logins"}
_log = logging.getLogger(__name__)


class RoleProcess(ABC):
    """One process of tocsin; what it is made of says its class."""

    role: Role
    failure = ""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._started_at = now()
        self._ends = ExitStack()
        self._drain_s = 0.0

    @abstractmethod
    def start(self) -> dict[str, Any]:
        """Start every part, and say where they listen. When it raises, call :meth:`stop` all the same.

        Raises:
            TocsinError: one of them cannot start; the message says what to do.
        """

    def must_end(self) -> str:
        """Say why this process has to end now, and be started anew; empty: it has not to. Never waits for anything."""
        return self.failure

    def stop(self, *, drain_s: float) -> None:
        """End in order: API, collector (drained for at most this long, the rest kept), engine, delivery, guard."""
        self._drain_s = drain_s
        self._ends.close()

    def _check(self) -> None:
        config = self._config
        require_server(self.role, config)
        for what in LISTENS[self.role]:
            address: Address | None = getattr(config, what)
            if address is None:
                continue
            if not config.insecure:
                require_protected(
                    address,
                    option=f"--{what}",
                    needs=_NEEDS[what],
                    tls=config.tls is not None,
                    keys=config.ingest_keys == "required",
                    logins=config.access.login != "none",
                )
            require_free(address, what=what, option=f"--{what}")
        if config.tls is not None:
            config.tls.read(now=now())

    def _read_files(self) -> None:
        """Read what people wrote before anything is opened, since that is what most often needs mending."""
        config = self._config
        self._draw: Draw = no_chart
        if can_draw():
            drawer = self._draw = Drawer()
            self._ends.callback(drawer.close)
        self._threads = ChatThreads(now=now)
        self._notifiers = with_notifiers(
            config, environment=os.environ, now=now, draw=self._draw, threads=self._threads
        )
        self._actions = actions_of(config, environment=os.environ, now=now)
        self._dead_man = DeadMan.of(config, environment=os.environ, now=now)
        self._plans = Plans.load(config.use_cases_dir)
        rulebook.read(config).require_sound()

    def _open(self) -> None:
        config = self._config
        self._make_folder()
        self._database = self._own(Database.open(config.store))
        migrate(self._database, now=now(), version=version())
        require_runnable(self._database, config.redactions)
        databases = tuple(dict.fromkeys((config.store.database, config.store.shard_database)))
        for each in keep(self._database, config.retention, databases=databases, evidence=config.evidence):
            _log.info("%s keeps its rows %s from now on", each.table, f"{each.days} days" if each.days else "for ever")
        if any(each.type == "slack_bot" for each in config.channels):
            self._threads.open(self._sibling())
        self._fleet = Fleet(self._sibling(), now=now)
        self._keys = IngestKeys(
            self._sibling(), required=config.ingest_keys == "required"
        )  # receivers' and the guard's
        self._ends.callback(self._keys.stop)
        self._keys.start()

    def _read_rules(self) -> None:
        self._reading = rulebook.read(self._config, query=self._database)
        self._reading.require_sound()
        for warning in self._reading.warnings:
            _log.warning("%s", warning)

    def _sync_tables(self) -> None:
        tables.sync_plans(self._database, self._plans, now=now())
        tables.sync_use_case_map(self._database, self._config.use_case_map, now=now())

    def _announce(self, addresses: Mapping[str, str]) -> dict[str, Any]:
        config = self._config
        facts = {
            "version": version(),
            "role": self.role,
            "pid": os.getpid(),
            **addresses,
            "data_dir": str(config.data_dir),
            "clock": config.clock,
            "started_at": self._started_at.isoformat(),
        }
        running.write_run_file(config.run_file, facts)
        self._ends.callback(lambda: config.run_file.unlink(missing_ok=True))
        return facts

    def _audit(self, actor: str, path: str) -> None:
        at, subject = now(), path[:_MOST_OF_A_PATH]
        try:
            record(self._database, key=at.isoformat(), at=at, actor=actor, action="request", subject=subject, detail="")
        except TocsinError as error:  # it was done all the same, and the answer says so
            _log.error("%s by %s is not in the audit log: %s", subject, actor, error)

    def _acted(self, actor: str, path: str) -> None:
        if path != OUTCOMES:  # it names its author, and another part has let them in
            self._audit(actor or "somebody on this machine", path)

    def _access(self) -> tuple[AccessKeys | None, Identify]:
        """Say who may use the API: whoever reaches it, or who shows a key or is named by the proxy."""
        access = self._config.access
        if access.login == "none":
            return None, anybody
        keys = AccessKeys(self._sibling())
        by_key = ByKey(keys, secrets=(running.owner_secret(self._config.owner_file), self._config.peer_secret))
        if access.login == "keys":
            return keys, by_key
        return keys, ByProxy(access.header, proxies=access.proxies, roles=access.roles, otherwise=by_key)

    def _make_folder(self) -> None:
        try:
            self._config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise UsageProblem(
                f"expected a folder to write in at {self._config.data_dir}, but {error.strerror}: give --data-dir"
            ) from error

    def _sibling(self, *, timeout_s: float | None = None) -> Database:
        return self._own(self._database.sibling(timeout_s=timeout_s))

    def _own(self, database: Database) -> Database:
        self._ends.callback(database.close)
        return database


def now() -> datetime:
    """Read the time of day, for everything that is passed it."""
    return datetime.now(UTC)

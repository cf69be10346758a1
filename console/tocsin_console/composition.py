"""The one place where the parts meet: ``tocsin up``. What runs of it apart over a server is in :mod:`apart`."""

import functools
import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from tocsin_alerts.acknowledging import Acknowledgements
from tocsin_alerts.channel_trial import Tried, try_channels
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.documents import suggest
from tocsin_alerts.engine import Engine
from tocsin_alerts.evaluator import evaluate
from tocsin_alerts.guard import GuardBook
from tocsin_alerts.guard_bars import GuardBars
from tocsin_alerts.guard_flags import terms_of
from tocsin_alerts.guard_server import GuardServer
from tocsin_alerts.plan import Plans
from tocsin_alerts.references import maintain
from tocsin_alerts.render import Templates
from tocsin_alerts.retraining.book import RetrainingBook
from tocsin_alerts.silences import Silences
from tocsin_alerts.sinks import EventSink
from tocsin_alerts.status import UseCaseStatus
from tocsin_collector.collector import Collector
from tocsin_collector.correct.call_keeper import CallKeeper
from tocsin_collector.correct.public_prices import PublicPrices
from tocsin_collector.correct.relabel import relabel
from tocsin_collector.load.fleet import Fleet
from tocsin_collector.load.watermark import Watermark
from tocsin_collector.privacy.reviewed import ReviewedContent
from tocsin_collector.privacy.rule_trial import require_runnable
from tocsin_collector.receive.admission import presented
from tocsin_collector.receive.certificates import Certificates, grpc_credentials
from tocsin_collector.receive.ingest_keys import IngestKeys
from tocsin_collector.receive.key_book import KeyBook
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.store.cluster import each_shard
from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import migrate
from tocsin_collector.store.retention import keep
from tocsin_console import rulebook, running, tables
from tocsin_console.addresses import Address, Protection, require_free, require_protected
from tocsin_console.api.app import build_app
from tocsin_console.api.server import ApiServer
from tocsin_console.book import Book
from tocsin_console.clickhouse_http.serving import Reading
from tocsin_console.config import Config
from tocsin_console.cost.desk import CostDesk
from tocsin_console.disk_watch import PERIOD_S, DiskWatch
from tocsin_console.errors import UsageProblem
from tocsin_console.evaluation import Evaluation
from tocsin_console.investigation import Explainer, client_for, investigator
from tocsin_console.judge.desk import JudgeDesk, desk_of
from tocsin_console.loop import Loop
from tocsin_console.notifiers import channels_of, with_notifiers
from tocsin_console.outcomes import OutcomeDesk, record_outcomes
from tocsin_console.parts import Parts
from tocsin_console.privacy import Forgetting
from tocsin_console.reader import Reader
from tocsin_console.reference_desk import ReferenceDesk
from tocsin_console.rehearsing import Rehearsal
from tocsin_console.retraining import actions_of
from tocsin_console.review.desk import ReviewDesk
from tocsin_console.roles import LISTENS, Others, Role, require_server
from tocsin_console.rulebook import Reading as RulebookReading
from tocsin_console.spool_desk import SpoolDesk
from tocsin_console.statements import statement

_NEEDS: Mapping[str, Protection] = {"grpc": "tls and keys", "http": "tls and keys", "guard": "tls", "api": "logins"}
_log = logging.getLogger(__name__)
_PERIOD_S = 1.0
_BARS_PERIOD_S = 300.0  # it reads three months of verdicts
_PRICES_PERIOD_S = 30.0  # a model that was not seen before is priced this soon
_CONTENTS_PERIOD_S = 3_600.0  # periods are days
_JUDGE_PERIOD_S = 60.0
_RETRAINING_PERIOD_S = 60.0
_END_S = 15.0  # for a turn of the engine that is under way


class Up:
    """Everything in one process; started against the stream of data, so that it ends with the stream."""

    role: Role = "up"
    failure = ""  # why this process must end, and be started anew

    def __init__(self, config: Config) -> None:
        self._config = config
        self._started_at = _now()
        self._ends = ExitStack()
        self._drain_s = 0.0

    def start(self) -> dict[str, Any]:
        """Start every part, and say where they listen. When it raises, call :meth:`stop` all the same.

        Raises:
            TocsinError: one of them cannot start; the message says what to do.
        """
        self._check()
        self._read_files()
        self._open()
        self._read_rules()
        self._sync_tables()
        self._make_collector()
        self._start_alerts(self._reading)
        self._start_collector()
        self._start_loops()
        return self._announce(self._start_api())

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
                )
            require_free(address, what=what, option=f"--{what}")
        if config.tls is not None:
            config.tls.read(now=_now())

    def _read_files(self) -> None:
        """Read what people wrote before anything is opened, since that is what most often needs mending."""
        config = self._config
        self._notifiers = with_notifiers(config, environment=os.environ, now=_now)
        self._actions = actions_of(config, environment=os.environ, now=_now)
        self._plans = Plans.load(config.use_cases_dir)
        rulebook.read(config).require_sound()

    def _open(self) -> None:
        config = self._config
        self._make_folder()
        self._database = self._own(Database.open(config.store))
        migrate(self._database, now=_now(), version=metadata.version("tocsin"))
        require_runnable(self._database, config.redactions)
        databases = tuple(dict.fromkeys((config.store.database, config.store.shard_database)))
        for each in keep(self._database, config.retention, databases=databases, evidence=config.evidence):
            _log.info("%s keeps its rows %s from now on", each.table, f"{each.days} days" if each.days else "for ever")
        self._fleet = Fleet(self._sibling(), now=_now)
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
        tables.sync_plans(self._database, self._plans, now=_now())
        tables.sync_use_case_map(self._database, self._config.use_case_map, now=_now())

    def stop(self, *, drain_s: float) -> None:
        """End in order: API, collector (drained for at most this long, the rest kept), engine, delivery, guard."""
        self._drain_s = drain_s
        self._ends.close()

    def _make_collector(self) -> None:
        config = self._config
        self._collector = Collector(
            CollectorSettings(
                data_dir=config.data_dir,
                grpc_address=str(config.grpc),
                http_address=str(config.http) if config.http else None,
                max_value_bytes=config.limits.max_value_bytes,
                keep_long_values=config.limits.keep_long_values,
                max_attributes=config.limits.max_attributes,
                name=config.collector_name,
                tls=config.tls,
                redactions=config.redactions,
            ),
            self._database,
            keyring=self._keys,
        )

    def _start_collector(self) -> None:
        self._ends.callback(lambda: self._collector.stop(self._drain_s))
        self._collector.start()

    def _start_alerts(self, reading: RulebookReading) -> None:
        config, plans, book = self._config, self._plans, reading.book
        self._bars = GuardBars(self._sibling(), plans)
        self._guard = GuardBook(
            self._sibling(),
            plans,
            book,
            clock=self._logical_now,
            changed=self._guard_changed,
            look=functools.partial(_use_cases, self._sibling()),
        )
        self._guard_server = GuardServer(
            str(config.guard),
            self._guard.rows,
            terms=lambda: terms_of(plans, self._bars.all()),
            credentials=config.tls and grpc_credentials(Certificates(config.tls, now=_now)),
            project_of=self._project_of_key,
        )
        self._guard_server.start()
        self._ends.callback(self._guard_server.stop)
        self._delivery = Delivery(
            self._sibling(),
            self._notifiers,
            plans=plans,
            rules=book,
            investigator=investigator(self._own(client_for(self._database)), reading.evaluators),
            guard=self._guard,
            templates=self._templates(),
        )
        self._delivery.start()
        self._ends.callback(self._delivery.close)
        self._engine = self._make_engine(reading, (self._guard, self._delivery))
        self._evaluation = Evaluation(
            self._engine,
            clock=config.clock,
            now=_now,
            watermark=self._watermark,
            use_cases=functools.partial(_use_cases, self._sibling()),
            meet=self._guard.meet,
            publish=self._judged,
        )
        self._keeper = CallKeeper(
            self._sibling(),
            config.prices,
            shards=lambda: [self._own(each) for each in each_shard(self._database)],
            catalogue=lambda: PublicPrices(today=_now().date()),
            now=_now,
        )
        reviewed = ReviewedContent(self._sibling(), after=config.reviewed_content, now=_now)
        self._contents_loop = Loop("contents", reviewed.turn, period_s=_CONTENTS_PERIOD_S)
        self._bars_loop = Loop("bars", self._find_bars, period_s=_BARS_PERIOD_S)
        self._prices = Loop("prices", self._keeper.tidy, period_s=_PRICES_PERIOD_S)
        self._retraining_loop = Loop("retraining", self._retraining().turn, period_s=_RETRAINING_PERIOD_S)
        self._loop = Loop("engine", self._turn, period_s=_PERIOD_S)
        self._ends.callback(lambda: self._loop.stop(timeout_s=_END_S))

    def _make_engine(self, reading: RulebookReading, handlers: Sequence[EventSink]) -> Engine:
        query = self._sibling()
        return Engine(
            query,
            reading.book,
            reading.evaluators,
            self._plans,
            epoch=time.time_ns() // 1_000_000,
            clock_mode=self._config.clock,
            handlers=handlers,
            evaluate=evaluate,
            maintain=lambda day: maintain(query, slot=day, calendar=self._plans.calendar),
            readers=(self._sibling(),),  # most of a query is planning on one core: two halve the wait
        )

    def _watermark(self) -> Watermark:
        own = self._collector.watermark()
        if self._config.store_url is None:
            return own
        others = [each for each in self._fleet.members() if each.is_live and each.name != self._config.collector_name]
        return replace(own, complete_to=min((own.complete_to, *(each.complete_to for each in others))))

    def _start_loops(self) -> None:
        self._collector.on_loaded(self._evaluation.data_arrived)
        self._collector.on_loaded(self._loop.wake)
        self._loop.start()
        self._start_prices()
        self._start_disk_watch()

    def _start_prices(self) -> None:
        loops = (self._prices, self._bars_loop, self._contents_loop, self._retraining_loop, *self._own_loops())
        for loop in loops:
            self._ends.callback(functools.partial(loop.stop, timeout_s=_END_S))
            loop.start()

    def _retraining(self) -> RetrainingBook:
        """Open the book of retrainings: one that acts, and one for whoever looks."""
        return RetrainingBook(
            self._sibling(),
            self._plans,
            self._actions,
            evaluators=sorted(self._reading.evaluators),
            through=self._evaluated_through,
            now=_now,
            may_act=self._may_act,
        )

    def _may_act(self) -> bool:
        return True

    def _evaluated_through(self) -> datetime | None:
        return self._engine.evaluated_through()

    def _own_loops(self) -> Sequence[Loop]:
        """List the loops that only a process with a spool has: what they find is recorded there."""
        self._judge = desk_of(
            self._config,
            self._sibling,
            record=lambda said: record_outcomes(self._collector.record, said),
            catalogue=lambda: PublicPrices(today=_now().date()),
            environment=os.environ,
            clock=self._logical_now,
            now=_now,
        )
        if self._judge.judge is None:
            return ()
        self._judge_loop = Loop("judge", self._judge.run, period_s=_JUDGE_PERIOD_S)
        return (self._judge_loop,)

    def _start_disk_watch(self) -> None:
        config = self._config
        self._disk = DiskWatch(
            self._sibling(),
            config.data_dir,
            limit_bytes=config.max_disk_bytes,
            is_embedded=config.store_url is None,
            now=_now,
        )
        self._disk_loop = Loop("disk", self._disk.turn, period_s=PERIOD_S)
        self._ends.callback(lambda: self._disk_loop.stop(timeout_s=_END_S))
        self._disk_loop.start()

    def _start_api(self) -> dict[str, str]:
        addresses = self._addresses() | self._start_reading()
        server = ApiServer(build_app(self._parts(addresses)), self._config.api)
        self._ends.callback(lambda: server.stop(timeout_s=5.0))
        addresses["api"] = str(server.start())
        return addresses

    def _addresses(self) -> dict[str, str]:
        config = self._config
        return {**self._intake_addresses(), "guard": str(Address(host=config.guard.host, port=self._guard_server.port))}

    def _intake_addresses(self) -> dict[str, str]:
        config = self._config
        bound = {"grpc": str(Address(host=config.grpc.host, port=self._collector.grpc_port))}
        if config.http is not None:
            bound["http"] = str(Address(host=config.http.host, port=self._collector.http_port))
        return bound

    def _announce(self, addresses: Mapping[str, str]) -> dict[str, Any]:
        config = self._config
        facts = {
            "version": metadata.version("tocsin"),
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

    def _start_reading(self) -> dict[str, str]:
        self._reader = Reading(self._config)
        self._ends.callback(lambda: self._reader.stop(timeout_s=2.0))
        return self._reader.start(self._config.store_path) if self._config.store_path else {}

    def _parts(self, addresses: Mapping[str, str]) -> Parts:
        config, reading = self._config, self._sibling()
        book = Book(reading, self._plans, lambda: self._statuses(reading), now=_now)
        apart = self._others()
        return Parts(
            config=config,
            version=metadata.version("tocsin"),
            store_version=self._database.version(),
            started_at=self._started_at,
            addresses=addresses,
            book=book,
            reader=Reader(self._database.sibling, database=config.database, embedded=config.store_url is None),
            plans=self._plans,
            channels=channels_of(config),
            guard=apart.guard,
            rules=rulebook.listed(self._reading.book),
            collector_stats=lambda: asdict(apart.collector.stats()),
            watermark=lambda: asdict(self._watermark()),
            evaluated_through=apart.evaluated_through,
            delivery_stats=apart.delivery_stats,
            loops=apart.loops,
            disk=self._disk.summary,
            disk_look=self._disk.look,
            disk_drop=lambda by: self._disk.drop(by=by),
            sync_prices=apart.sync_prices,
            forget=Forgetting(
                self._sibling(),
                watermark=self._watermark,
                waiting=lambda: apart.collector.stats().waiting_requests,
                now=_now,
                damaged=config.data_dir / "spool" / "damaged",
            ),
            spool=SpoolDesk(config.data_dir / "spool", self._sibling(), apart.queue),
            keys=KeyBook(self._sibling()),
            keys_changed=apart.keys_changed,
            guard_changed=apart.guard_changed,
            use_cases_mapped=self._map_use_cases,
            relabel=lambda project, old, new: asdict(relabel(self._database, project, old, new)),
            record_outcomes=apart.record_outcomes,
            rehearsal=Rehearsal(config, self._sibling(), complete_to=self._slots_complete_to),
            references=ReferenceDesk(
                self._sibling(), clock=self._clock_of_slots, wall=_now, calendar=self._plans.calendar
            ),
            outcome_desk=OutcomeDesk(self._sibling(), apart.record_outcomes, now=_now),
            judge=self._judge_desk(),
            cost=CostDesk(store=self._sibling(), plans=self._plans, clock=self._clock_of_slots),
            retraining=self._retraining(),
            explain=Explainer(
                self._own(client_for(self._database)), self._reading.evaluators, slot=self._clock_of_slots
            ),
            try_channels=self._try_channels,
            silences=Silences(self._sibling(), now=_now),
            acknowledgements=Acknowledgements(self._sibling(), now=_now),
            reviews=ReviewDesk(self._sibling(), apart.record_outcomes, clock=self._clock_of_slots, now=_now),
            now=_now,
            reading=apart.reading,
            spool_max_bytes=apart.spool_max_bytes,
            collectors=self._fleet.members if config.store_url else list,
        )

    def _others(self) -> Others:
        """Name the parts by which a role differs from another, as the API uses them."""
        return Others(
            collector=self._collector,
            queue=self._collector.queue,
            guard=self._guard,
            evaluated_through=self._evaluated_through,
            delivery_stats=lambda: asdict(self._delivery.stats()),
            loops=lambda: {
                "engine": self._loop.stats(),
                "prices": self._prices.stats(),
                "bars": self._bars_loop.stats(),
                "contents": self._contents_loop.stats(),
                "retraining": self._retraining_loop.stats(),
                "disk": self._disk_loop.stats(),
                **({"judge": self._judge_loop.stats()} if self._judge.judge else {}),
            },
            sync_prices=self._keeper.price_all,
            keys_changed=self._keys.refresh,
            guard_changed=self._guard_changed,
            record_outcomes=lambda said: record_outcomes(self._collector.record, said),
            spool_max_bytes=self._collector.settings.spool_max_bytes,
            reading=self._reader.counts,
        )

    def _judge_desk(self) -> JudgeDesk:
        return self._judge

    def _statuses(self, reading: Database) -> Sequence[UseCaseStatus]:
        return self._engine.status(query=reading)

    def _turn(self) -> None:
        self._keeper.settle()  # first: evaluators must not see two spans of one response as two calls
        if self._evaluation.turn():
            self._loop.wake()
        self._delivery.wake()

    def _judged(self, through: Mapping[str, str]) -> None:
        """Tell services how far evaluation has come; a day that was judged may be one that calls for a retraining."""
        self._guard_server.publish(evaluated_through=through)
        self._retraining_loop.wake()

    def _try_channels(self, name: str) -> list[Tried]:
        chosen = [each for each in self._notifiers if name in ("", each[0].name)]
        if not chosen:
            names = [channel.name for channel, _ in self._notifiers]
            raise UsageProblem(f"expected a channel of tocsin.yaml, got {name!r}: {suggest(name, names)}")
        return try_channels(chosen, self._templates(), now=_now)

    def _templates(self) -> Templates:
        folder = self._config.templates_dir
        return Templates(folder if folder.is_dir() else None)

    def _find_bars(self) -> None:
        if self._bars.refresh(self._logical_now()):
            self._guard_server.publish()

    def _logical_now(self) -> datetime:
        return self._evaluation.logical_now()

    def _clock_of_slots(self) -> datetime:
        """As :meth:`_logical_now`, in a process that evaluates nothing too."""
        return (self._config.clock == "data" and self._watermark().data_complete_to) or _now()

    def _slots_complete_to(self) -> datetime:
        mark = self._watermark()
        return (self._config.clock == "data" and mark.data_complete_to) or mark.complete_to

    def _guard_changed(self) -> None:
        self._guard_server.publish()

    def _project_of_key(self, metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
        key = presented(metadata)
        return None if key is None else self._keys.project_of(key)

    def _map_use_cases(self) -> int:
        from tocsin_console.config import Flags, resolve

        file = self._config.file or self._config.use_cases_dir.parent / "tocsin.yaml"
        entries = resolve(Flags(config=file), environment=os.environ, cwd=file.parent).use_case_map
        return tables.sync_use_case_map(self._database, entries, now=_now())

    def _make_folder(self) -> None:
        try:
            self._config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise UsageProblem(
                f"expected a folder to write in at {self._config.data_dir}, but {error.strerror}: give --data-dir"
            ) from error

    def _sibling(self) -> Database:
        return self._own(self._database.sibling())

    def _own(self, database: Database) -> Database:
        self._ends.callback(database.close)
        return database


def _use_cases(query: Database) -> list[tuple[str, str]]:
    return [(row["project"], row["use_case"]) for row in query.rows(statement("known_use_cases"))]


def _now() -> datetime:
    return datetime.now(UTC)

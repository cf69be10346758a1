"""The part that evaluates, keeps the guard and tells people."""

import functools
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from tocsin_alerts.delivery import Delivery
from tocsin_alerts.engine import Engine
from tocsin_alerts.errors import Superseded
from tocsin_alerts.evaluator import evaluate
from tocsin_alerts.fencing import FencedQuery, Tenancy, fenced
from tocsin_alerts.guard import GuardBook
from tocsin_alerts.guard_bars import GuardBars
from tocsin_alerts.guard_flags import terms_of
from tocsin_alerts.guard_server import GuardServer
from tocsin_alerts.references import maintain
from tocsin_alerts.render import Templates
from tocsin_alerts.retraining.book import RetrainingBook
from tocsin_alerts.sinks import EventSink
from tocsin_alerts.windows import declared
from tocsin_collector.adopt.adoption import Adopter
from tocsin_collector.correct.call_keeper import CallKeeper
from tocsin_collector.correct.public_prices import PublicPrices
from tocsin_collector.load.watermark import Watermark
from tocsin_collector.privacy.reviewed import ReviewedContent
from tocsin_collector.receive.admission import presented
from tocsin_collector.receive.certificates import Certificates, grpc_credentials
from tocsin_collector.store.cluster import each_shard
from tocsin_collector.store.database import Database
from tocsin_collector.store.lease import elapsed_s
from tocsin_console.evaluation import Evaluation
from tocsin_console.investigation import client_for, investigator
from tocsin_console.loop import Loop
from tocsin_console.process import RoleProcess, now
from tocsin_console.rulebook import Reading as RulebookReading
from tocsin_console.statements import statement
from tocsin_console.steady import SteadyClock
from tocsin_console.tenure import LOST, Tenure

_PERIOD_S = 1.0
_BARS_PERIOD_S = 300.0  # it reads three months of verdicts
_ADOPTED_PERIOD_S = 10.0  # what somebody else's table was given is a call this soon
_PRICES_PERIOD_S = 30.0  # a model that was not seen before is priced this soon
_CONTENTS_PERIOD_S = 3_600.0  # periods are days
_RETRAINING_PERIOD_S = 60.0
_STALE_STATES = "ALTER TABLE alert_state DELETE WHERE fence < {epoch:UInt64}"
_SPREAD = timedelta(minutes=2)
_END_S = 15.0  # for a turn of the engine that is under way


class Judging(RoleProcess):
    """A process with rules over the store: one that works by them, or one that only looks."""

    _tenancy = Tenancy(epoch=0, is_held=lambda: False)  # who only looks writes nothing
    _tenure: Tenure | None = None  # where another evaluator may be
    _is_tidy = False

    def must_end(self) -> str:
        """As :meth:`RoleProcess.must_end`; also once the lease has run out by the clock, while its loop waits for the store."""
        if self._tenure is not None and self._tenure.lease.is_lost:
            return self.failure or LOST
        return self.failure

    @abstractmethod
    def _watermark(self) -> Watermark:
        """Say up to when everything is loaded."""

    def _start_alerts(self, reading: RulebookReading) -> None:
        config, plans, book = self._config, self._plans, reading.book
        self._bars = GuardBars(self._sibling(), plans)
        self._guard = GuardBook(
            self._fenced(),
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
            credentials=config.tls and grpc_credentials(Certificates(config.tls, now=now)),
            project_of=self._project_of_key,
        )
        self._guard_server.start()
        self._ends.callback(self._guard_server.stop)
        self._delivery = Delivery(
            self._fenced(),
            [(channel, fenced(notifier, self._tenancy)) for channel, notifier in self._notifiers],
            plans=plans,
            rules=book,
            investigator=investigator(self._own(client_for(self._database)), reading.evaluators),
            guard=self._guard,
            templates=self._templates,
            inhibitions=config.inhibitions,
            declared=functools.partial(declared, config.maintenance, plans),
            grouping=config.grouping,
        )
        self._delivery.start()
        self._ends.callback(self._delivery.close)
        self._engine = self._make_engine(reading, (self._guard, self._delivery))
        self._evaluation = Evaluation(
            self._engine,
            clock=config.clock,
            now=SteadyClock(now, elapsed=elapsed_s),
            watermark=self._watermark,
            use_cases=functools.partial(_use_cases, self._sibling()),
            meet=self._guard.meet,
            publish=self._judged,
            advanced=self._dead_man.advanced if self._dead_man else None,
        )
        self._keeper = CallKeeper(
            self._sibling(),
            config.prices,
            shards=lambda: [self._own(each) for each in each_shard(self._database)],
            catalogue=lambda: PublicPrices(today=now().date()),
            now=now,
        )
        reviewed = ReviewedContent(self._sibling(), after=config.reviewed_content, now=now)
        self._contents_loop = Loop("contents", self._while_held(reviewed.turn), period_s=_CONTENTS_PERIOD_S)
        self._bars_loop = Loop("bars", self._find_bars, period_s=_BARS_PERIOD_S)
        self._prices = Loop("prices", self._while_held(self._keeper.tidy), period_s=_PRICES_PERIOD_S)
        self._adopted_loop = self._adopting()
        self._retraining_loop = Loop("retraining", self._retraining().turn, period_s=_RETRAINING_PERIOD_S)
        self._dead_man_loop = Loop("dead man", self._dead_man.turn, period_s=_PERIOD_S) if self._dead_man else None
        self._loop = Loop("engine", self._turn, period_s=_PERIOD_S)
        self._ends.callback(lambda: self._loop.stop(timeout_s=_END_S))

    def _make_engine(self, reading: RulebookReading, handlers: Sequence[EventSink]) -> Engine:
        query = self._fenced()
        return Engine(
            query,
            reading.book,
            reading.evaluators,
            self._plans,
            epoch=self._tenancy.epoch,
            clock_mode=self._config.clock,
            handlers=handlers,
            evaluate=evaluate,
            maintain=lambda day: maintain(query, slot=day, calendar=self._plans.calendar),
            spread_over=_SPREAD,
            readers=(self._sibling(),),  # most of a query is planning on one core: two halve the wait
        )

    def _start_prices(self) -> None:
        outside = [each for each in (self._dead_man_loop, self._adopted_loop) if each]
        loops = (
            *(self._prices, self._bars_loop, self._contents_loop, self._retraining_loop),
            *outside,
            *self._own_loops(),
        )
        for loop in loops:
            self._ends.callback(functools.partial(loop.stop, timeout_s=_END_S))
            loop.start()

    def _adopting(self) -> Loop | None:
        """Make the loop that reads tables of others, where there can be some."""
        if self._config.store.is_embedded or self._config.store.cluster:
            return None
        adopter = Adopter(self._sibling(), now=now)
        return Loop("adopted tables", self._while_held(adopter.turn), period_s=_ADOPTED_PERIOD_S)

    def _retraining(self) -> RetrainingBook:
        """Open the book of retrainings: one that acts, and one for whoever looks."""
        return RetrainingBook(
            self._sibling(),
            self._plans,
            self._actions,
            evaluators=sorted(self._reading.evaluators),
            through=self._evaluated_through,
            now=now,
            may_act=self._may_act,
        )

    def _may_act(self) -> bool:
        return self._tenancy.is_held()

    def _while_held(self, turn: Callable[[], object]) -> Callable[[], object]:
        """Leave out turns in which another evaluator may work."""
        return lambda: turn() if self._tenancy.is_held() else None

    def _fenced(self) -> FencedQuery:
        return FencedQuery(self._sibling(), self._tenancy)

    def _evaluated_through(self) -> datetime | None:
        return self._engine.evaluated_through()

    def _own_loops(self) -> Sequence[Loop]:
        """List the loops that only a process with a spool has: what they find is recorded there."""
        return ()

    def _turn(self) -> None:
        if not self._tenancy.is_held():
            return
        try:
            self._keeper.settle()  # first: evaluators must not see two spans of one response as two calls
            if self._evaluation.turn():
                self._loop.wake()
            self._guard.tend()
            self._delivery.wake()
        except Superseded as error:
            self.failure = str(error)
            raise
        self._tidy_states()

    def _tidy_states(self) -> None:
        """Delete, once, where alerts stood under evaluators before: nobody reads it."""
        if self._engine.has_begun and not self._is_tidy:
            self._is_tidy = True
            self._database.command(_STALE_STATES, parameters={"epoch": self._tenancy.epoch})

    def _judged(self, through: Mapping[str, str]) -> None:
        """Tell services how far evaluation has come; a day that was judged may be one that calls for a retraining."""
        self._guard_server.publish(evaluated_through=through)
        self._retraining_loop.wake()

    def _find_bars(self) -> None:
        if self._bars.refresh(self._logical_now()):
            self._guard_server.publish()

    def _logical_now(self) -> datetime:
        return self._evaluation.logical_now()

    def _guard_changed(self) -> None:
        self._guard_server.publish()

    def _project_of_key(self, metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
        key = presented(metadata)
        return None if key is None else self._keys.project_of(key)

    @functools.cached_property
    def _templates(self) -> Templates:
        folder = self._config.templates_dir
        made = Templates(folder if folder.is_dir() else None, public_url=self._config.public_url, apart=True)
        self._ends.callback(made.close)
        return made


def _use_cases(query: Database) -> list[tuple[str, str]]:
    return [(row["project"], row["use_case"]) for row in query.rows(statement("known_use_cases"))]

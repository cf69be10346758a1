"""A running API over fakes and a real store."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Databases

from tocsin_alerts.acknowledging import Acknowledgements
from tocsin_alerts.channel_trial import Tried
from tocsin_alerts.channels import SmtpChannel
from tocsin_alerts.evaluator import Evaluator, load_evaluators
from tocsin_alerts.message import View
from tocsin_alerts.outbox import Notification
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.retraining.book import RetrainingBook
from tocsin_alerts.rules import RuleBook, load_rules
from tocsin_alerts.silences import Silences
from tocsin_alerts.status import UseCaseStatus
from tocsin_alerts.verdicts import Verdicts
from tocsin_collector.correct.prices import Synced
from tocsin_collector.correct.relabel import relabel
from tocsin_collector.load.ledger import Ledger
from tocsin_collector.privacy.forget import forget
from tocsin_collector.receive.key_book import KeyBook
from tocsin_collector.spool.resting import RestingQueue
from tocsin_collector.store.database import Database
from tocsin_console.api.app import build_app
from tocsin_console.api.server import ApiServer
from tocsin_console.book import Book
from tocsin_console.calls.desk import CallsDesk
from tocsin_console.calls.detail import DetailDesk
from tocsin_console.config import Config, Flags, resolve
from tocsin_console.cost.desk import CostDesk
from tocsin_console.disk_watch import DiskWatch
from tocsin_console.drill.desk import DrillDesk
from tocsin_console.hearing import Hearing
from tocsin_console.investigation import Explainer
from tocsin_console.judge.desk import JudgeDesk
from tocsin_console.loop import LoopStats
from tocsin_console.notifiers import channels_of
from tocsin_console.outcomes import OutcomeDesk
from tocsin_console.parts import Parts
from tocsin_console.reader import Reader
from tocsin_console.recall.desk import RecallDesk
from tocsin_console.reference_desk import ReferenceDesk
from tocsin_console.rehearsing import Rehearsal
from tocsin_console.report.desk import ReportDesk
from tocsin_console.report.sending import Postbox
from tocsin_console.review.desk import ReviewDesk
from tocsin_console.spool_desk import SpoolDesk

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FATES = [
    f"{fate}_spans" for fate in ("received", "stored", "duplicate", "refused", "dead_lettered", "damaged", "waiting")
]
DELIVERY = {"channels": [], "pages": 0, "template_errors": 0, "evidence_errors": 0, "last_error": ""}
MAIL = [SmtpChannel(name="team", host="mail", sender="a@example.com", recipients=("b@example.com",))]
LOOP = LoopStats(turns=3, failures=0, consecutive_failures=0, last_error="", is_alive=True)


@dataclass
class FakeGuard:
    """Remembers what a person did to the guard."""

    done: list[tuple[Any, ...]] = field(default_factory=list)

    def set(
        self, use_case: str, state: Any, *, actor: str, cause: str, project: str = "default", lasts: Any = None
    ) -> Mapping[str, Any]:
        """Remember an override."""
        self.done.append(("set", project, use_case, state, actor, cause, *([lasts] if lasts else ())))
        return {"use_case": use_case, "state": state}

    def release(self, use_case: str, *, actor: str, project: str = "default") -> Mapping[str, Any]:
        """Remember a release."""
        self.done.append(("release", project, use_case, actor))
        return {"use_case": use_case, "state": "normal"}


@dataclass
class FakeOutcomes:
    """Takes every outcome but those marked bad."""

    taken: list[Mapping[str, Any]] = field(default_factory=list)

    def record(self, outcomes: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Take them."""
        good = [each for each in outcomes if each.get("handle") != "bad"]
        self.taken += good
        errors = [] if len(good) == len(outcomes) else ["outcomes[0]: expected a call handle"]
        return {"accepted": len(good), "rejected": len(outcomes) - len(good), "errors": errors}


@dataclass
class FakeLetters:
    """Keeps what is to be sent, an id once."""

    posted: list[Notification] = field(default_factory=list)
    drilled: list[View] = field(default_factory=list)
    sent: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def send(self, channel: str, message_id: str, document: Mapping[str, Any]) -> None:
        """Keep a document."""
        self.sent.append((channel, message_id, document))

    def drill(self, _plan: Plan, views: Sequence[View]) -> list[dict[str, Any]]:
        """Keep the views of a drill."""
        self.drilled += views
        return [{"channel": "oncall", "error": ""}]

    def post(self, letters: Sequence[Notification]) -> list[str]:
        """Keep what is new."""
        known = {each.id for each in self.posted}
        fresh = [each for each in letters if each.id not in known]
        self.posted += fresh
        return [each.id for each in fresh]


@dataclass
class Running:
    """A running API, what it answers from, and where."""

    parts: Parts
    address: str
    guard: FakeGuard
    outcomes: FakeOutcomes
    database: Database
    statuses: list[UseCaseStatus]
    letters: "FakeLetters"


HEARD = {"PAGERDUTY_SECRET": "pd-secret", "SLACK_SECRET": "slack-secret"}  # in the environment of the API


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The settings of an empty folder with a data folder of its own."""
    (tmp_path / "data").mkdir()
    return resolve(Flags(data_dir=tmp_path / "data"), environment={}, cwd=tmp_path)


@pytest.fixture(scope="module")
def store(databases: Databases) -> Iterator[Database]:
    """A migrated database that the tests of one module share."""
    with databases.one() as lent:
        yield lent


class Clients:
    """Clients of one store, one for each that asks: the next test gets the same, since twenty take a third of a second."""

    def __init__(self, store: Database) -> None:
        self._store = store
        self._made: list[Database] = []

    def __iter__(self) -> Iterator[Database]:
        """Give one after the other, from the first."""
        for number in itertools.count():
            if number == len(self._made):
                self._made.append(self._store.sibling())
            yield self._made[number]

    def close(self) -> None:
        """Close them all."""
        for client in self._made:
            client.close()


@pytest.fixture(scope="module")
def clients(store: Database) -> Iterator[Clients]:
    """Clients of the shared store."""
    made = Clients(store)
    yield made
    made.close()


@cache
def shipped_evaluators() -> Mapping[str, Evaluator]:
    """The evaluators as they are shipped, read once."""
    return load_evaluators()


@cache
def shipped_rules() -> RuleBook:
    """The rules as they are shipped, read once."""
    return load_rules(evaluators=shipped_evaluators())


@pytest.fixture
def running(config: Config, store: Database, clients: Clients) -> Iterator[Running]:
    """An API over a real store and a fake guard, announced in run.json as ``up`` does."""
    client = iter(clients)
    guard, outcomes = FakeGuard(), FakeOutcomes()
    reading = next(client)
    name = store.address.database
    plans = Plans.of(Plan(use_case="planned", owner="team"))
    statuses: list[UseCaseStatus] = []
    watch = DiskWatch(store, config.data_dir, limit_bytes=None, now=lambda: NOW)
    book = Book(reading, plans, lambda: statuses, now=lambda: NOW)
    references = ReferenceDesk(next(client), clock=lambda: NOW, wall=lambda: NOW)
    reviews = ReviewDesk(next(client), outcomes.record, clock=lambda: NOW, now=lambda: NOW)
    letters = FakeLetters()
    retraining = RetrainingBook(
        next(client),
        plans,
        {},
        evaluators=["accuracy"],
        through=lambda: NOW - timedelta(hours=12),
        now=lambda: NOW,
    )
    acknowledgements = Acknowledgements(next(client), now=lambda: NOW)
    parts = Parts(
        config=config,
        version="0.0",
        store_version=store.version(),
        started_at=NOW - timedelta(minutes=5),
        addresses={"grpc": "127.0.0.1:1", "api": "127.0.0.1:2", "guard": "127.0.0.1:3"},
        book=book,
        draw=lambda data, kind: f"{kind} of {data['use_case']}".encode() if data.get("days") else None,
        figures=lambda chart, kind: f"{kind} of {chart['title']}".encode(),
        reader=Reader(store.sibling, database=name, embedded=True),
        plans=plans,
        channels=channels_of(config),
        lost_routes=[],
        guard=guard,
        rules=[{"rule": "a-rule"}],
        rule_book=shipped_rules(),
        collector_stats=lambda: {**dict.fromkeys(FATES, 0), "received_spans": 3, "waiting_spans": 3, "spool_bytes": 7},
        watermark=lambda: {"complete_to": NOW - timedelta(seconds=2), "data_complete_to": None},
        evaluated_through=lambda: NOW - timedelta(days=1),
        delivery_stats=lambda: DELIVERY,
        loops=lambda: {"engine": LOOP},
        sync_prices=lambda: Synced(changed=1, unknown=("openai/gpt-99",)),
        disk=watch.summary,
        disk_look=watch.look,
        disk_drop=lambda by: watch.drop(by=by),
        backup=lambda to, base, hold: {"to": to, "base": base, "hold": hold},
        spool=SpoolDesk(
            config.data_dir / "spool", store, RestingQueue(config.data_dir / "spool", Ledger(store, lambda: 1)).queue
        ),
        forget=lambda request, *, by, dry_run=False: forget(store, request, by=by, now=NOW, dry_run=dry_run),
        keys=KeyBook(store),
        keys_changed=lambda: guard.done.append(("keys changed",)),
        guard_changed=lambda: guard.done.append(("published",)),
        use_cases_mapped=lambda: 2,
        relabel=lambda project, old, new: asdict(relabel(store, project, old, new)),
        record_outcomes=outcomes.record,
        rehearsal=Rehearsal(config, next(client), complete_to=lambda: NOW),
        references=references,
        outcome_desk=OutcomeDesk(next(client), outcomes.record, now=lambda: NOW),
        reviews=reviews,
        calls=CallsDesk(store=next(client)),
        call_detail=DetailDesk(store=next(client)),
        judge=JudgeDesk(store=next(client), now=lambda: NOW),
        cost=CostDesk(store=next(client), plans=plans, clock=lambda: NOW),
        retraining=retraining,
        report=ReportDesk(
            store=next(client),
            plans=plans,
            rules=shipped_rules(),
            channels=channels_of(config),
            book=book,
            retraining=retraining,
            references=references,
            reviews=reviews,
            clock=lambda: NOW,
            now=lambda: NOW,
        ),
        recall=RecallDesk(store=next(client), clock=lambda: NOW, send=letters.send),
        drill=DrillDesk(
            store=next(client),
            plans=plans,
            rules=shipped_rules(),
            clock=lambda: NOW,
            now=lambda: NOW,
            deliver=letters.drill,
        ),
        postbox=Postbox(channels=MAIL, post=letters.post, now=lambda: NOW),
        try_channels=lambda _name: [
            Tried(channel="oncall", kind="WebhookChannel", error="", took_s=0.1),
            Tried(channel="mail", kind="SmtpChannel", error="mail 'mail' refused", took_s=2.0),
        ],
        silences=Silences(next(client), now=lambda: NOW),
        acknowledgements=acknowledgements,
        hearing=Hearing(config, acknowledgements, environment=HEARD, now=lambda: NOW),
        verdicts=Verdicts(next(client), now=lambda: NOW),
        explain=Explainer(next(client), shipped_evaluators(), slot=lambda: NOW),
        now=lambda: NOW,
    )
    server = ApiServer(build_app(parts), replace(config.api, port=0))
    address = str(server.start())
    config.run_file.write_text(json.dumps({"api": address}))
    yield Running(parts, address, guard, outcomes, store, statuses, letters)
    server.stop(timeout_s=5)


@pytest.fixture
def tocsin(config: Config, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command line, in an empty folder and without anybody's environment."""
    from typer.testing import CliRunner

    from tocsin_console.cli.app import build

    monkeypatch.chdir(config.data_dir.parent)
    monkeypatch.setenv("TOCSIN_DATA_DIR", str(config.data_dir))
    for name in ("TOCSIN_CONFIG", "TOCSIN_CLOCK", "TOCSIN_API_ADDRESS", "TOCSIN_CLICKHOUSE_URL"):
        monkeypatch.delenv(name, raising=False)
    runner, app = CliRunner(), build()
    return lambda *words, **how: runner.invoke(app, [str(word) for word in words], **how)

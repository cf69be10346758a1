"""Doubles for delivery: a notifier that can fail, a clock that is set by hand, transitions made short."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tocsin_alerts.briefing import Findings, GuardNews
from tocsin_alerts.channels import EVERYTHING, Channel, LogChannel
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.message import Measure, Message
from tocsin_alerts.outbox import Notification
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.rules import RuleBook, load_rules

NOON = datetime(2026, 4, 17, 12, tzinfo=UTC)
SLOT = datetime(2026, 4, 17, tzinfo=UTC)


class HandClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        """Say what time it is."""
        return self.at

    def pass_by(self, **span: float) -> None:
        """Move on."""
        self.at += timedelta(**span)


@dataclass
class Receiver:
    """A notifier that keeps what it takes, and fails with what it is given."""

    taken: list[Notification] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    is_down: Exception | None = None

    def send(self, notification: Notification) -> None:
        """Take one, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        if self.is_down:
            raise self.is_down
        self.taken.append(notification)

    @property
    def transitions(self) -> list[str]:
        """What it was told, in order."""
        return [each.transition for each in self.taken]


class MemoryStore:
    """A store that keeps inserts, and refuses them while it is away."""

    def __init__(self) -> None:
        self.inserted: dict[str, list[Mapping[str, Any]]] = {}
        self.is_away = False

    def rows(self, _sql: str, _parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Remember nothing: a restart is tested on the real engine."""
        return []

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Keep rows."""
        del token
        if self.is_away:
            raise ConnectionError("the store is away")
        if rows:
            self.inserted.setdefault(table, []).extend(rows)


class Desk:
    """A guard that did what it was told it did."""

    def __init__(self) -> None:
        self.told = GuardNews()

    def news(self, _project: str, _use_case: str, _incident: str) -> GuardNews:
        """Say the same of every incident."""
        return self.told


class Detective:
    """An investigator with the same evidence for everything, or none."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.findings = Findings(
            quality=Measure(value=0.88, lower=0.86, upper=0.896, baseline=0.94, n=2034), calls_per_day=2000
        )

    def __call__(self, **_asked: object) -> Findings:
        """Find the same in everything."""
        if self.error:
            raise self.error
        return self.findings


_numbers = itertools.count()


def make_event(rule: str = "accuracy-below-floor", to: str = "firing", **changes: Any) -> AlertEvent:
    """Make one transition; by default a page fires at midnight."""
    fingerprint = changes.get("fingerprint", f"print-{rule}")
    slot = changes.get("slot", SLOT)
    fields: dict[str, Any] = {
        "event_id": f"{fingerprint}/{slot.isoformat()}/{to}",
        "project": "default",
        "use_case": "digit-reader",
        "rule": rule,
        "labels": {},
        "fingerprint": fingerprint,
        "incident": "" if to in ("pending", "inactive") else "incident-1",
        "severity": "page",
        "from_state": "inactive" if to in ("firing", "pending") else "firing",
        "to_state": to,
        "slot": slot,
        "value": 0.88,
        "lower": 0.86,
        "upper": 0.896,
        "baseline": 0.94,
        "n": 2034,
        "reason": "upper 0.896 < floor 0.9",
        "rule_hash": "h",
    }
    return AlertEvent(**{**fields, **changes})


def make_notification(**changes: Any) -> Notification:
    """Make one message that waits."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "id": f"notification-{number}",
        "incident": "incident-1",
        "project": "default",
        "use_case": "digit-reader",
        "transition": "firing",
        "channel": "oncall",
        "severity": "page",
        "slot": SLOT,
        "message": Message(subject="Subject", text="Text\n", html="<p>Text</p>", data={"use_case": "digit-reader"}),
        "created_at": NOON,
    }
    return Notification(**{**fields, **changes})


@pytest.fixture
def event() -> Callable[..., AlertEvent]:
    """Makes transitions."""
    return make_event


@pytest.fixture
def notification() -> Callable[..., Notification]:
    """Makes messages that wait."""
    return make_notification


@pytest.fixture
def clock() -> HandClock:
    """A clock at noon."""
    return HandClock()


@pytest.fixture
def receiver() -> Receiver:
    """A notifier."""
    return Receiver()


@pytest.fixture
def store() -> MemoryStore:
    """A store in memory."""
    return MemoryStore()


@pytest.fixture
def desk() -> Desk:
    """A guard desk."""
    return Desk()


@pytest.fixture
def detective() -> Detective:
    """An investigator."""
    return Detective()


@pytest.fixture(scope="session")
def rules() -> RuleBook:
    """The shipped rules."""
    return load_rules(evaluators=load_evaluators())


@pytest.fixture
def plans() -> Plans:
    """One plan, answered."""
    text = {
        "use_case": "digit-reader",
        "owner": "vision-team",
        "contact": "vision-oncall@example.com",
        "runbook": {"link": "https://wiki.example.com/r", "first_steps": ["look at the calls"]},
    }
    return Plans.of(Plan.model_validate(text))


@dataclass
class World:
    """Everything around a delivery."""

    store: MemoryStore
    desk: Desk
    detective: Detective
    clock: HandClock


@pytest.fixture
def world(store: MemoryStore, desk: Desk, detective: Detective, clock: HandClock) -> World:
    """Everything around a delivery."""
    return World(store, desk, detective, clock)


@pytest.fixture
def make_delivery(world: World, receiver: Receiver, rules: RuleBook, plans: Plans) -> Callable[..., Delivery]:
    """Makes a delivery to one channel, or to those given."""

    def make(*channels: tuple[Channel, Any], **changes: Any) -> Delivery:
        wiring: dict[str, Any] = {
            "query": world.store,
            "plans": plans,
            "rules": rules,
            "investigator": world.detective,
            "guard": world.desk,
            "now": world.clock,
            "jitter": lambda: 0.5,
        }
        wiring |= changes
        told = channels or ((LogChannel(name="oncall", severities=EVERYTHING), receiver),)
        return Delivery(wiring.pop("query"), told, **wiring)

    return make


@dataclass
class Hook:
    """A receiver over HTTP: what came, and what to answer."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    answers: list[Any] = field(default_factory=list)  # each once, as JSON or text, before body
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver on a free port."""
    kept = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            said = kept.answers.pop(0) if kept.answers else kept.body
            reply = said if isinstance(said, bytes) else (said if isinstance(said, str) else json.dumps(said)).encode()
            kept.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(kept.status)
            for name, value in kept.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *args: Any) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()

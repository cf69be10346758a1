"""Parts on different machines, where people sign in: what each shows to whom, and how one asks another."""

import http.client
import json
import os
import pwd
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.receive.ingest_keys import hash_of
from tocsin_collector.store.lease import Holder
from tocsin_console.access.gate import ByKey
from tocsin_console.access.roles import Person
from tocsin_console.access.tokens import AccessKeys
from tocsin_console.addresses import Address
from tocsin_console.api.app import build_app
from tocsin_console.api.outcomes import outcome_route
from tocsin_console.api.server import ApiServer
from tocsin_console.api.small import build_small_app
from tocsin_console.cli.options import person
from tocsin_console.client import Client
from tocsin_console.config import Flags, resolve
from tocsin_console.errors import UsageProblem
from tocsin_console.roles import Elsewhere, EvaluatorOf, GuardElsewhere

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = "tk_0123456789ab_" + "s" * 43
PEER = "what-parts-show-each-other"


class Keys:
    """A store that knows one key, and can be away."""

    def __init__(self) -> None:
        self.is_away = False
        self.now_s = 0.0

    def rows(self, _sql: str, _parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Answer as ``ingest_keys`` does."""
        if self.is_away:
            raise StoreUnavailable("expected an answer, got none")
        return [{"key_id": "0123456789ab", "name": "ana", "role": "operator", "hash": hash_of(KEY)}]


class Collector:
    """The API of a part without a page."""

    def __init__(self) -> None:
        self.store = Keys()
        self.acts: list[tuple[str, str]] = []
        self.outcomes: list[Mapping[str, Any]] = []
        known = AccessKeys(self.store, clock=lambda: self.store.now_s)
        app = build_small_app(
            lambda: {"ready": True},
            any_host=True,
            identify=ByKey(known, secrets=(PEER,)),
            acted=lambda actor, path: self.acts.append((actor, path)),
            more=[
                Route("/api/spool", _spool),
                Route("/api/spool/replay", _spool, methods=["POST"]),
                outcome_route(self._record),
            ],
        )
        self.server = ApiServer(app, Address(host="127.0.0.1", port=0))
        self.address = str(self.server.start())

    def _record(self, said: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        self.outcomes += said
        return {"accepted": len(said), "rejected": 0, "errors": []}

    def ask(self, path: str, *, key: str = "", method: str = "GET") -> int:
        """Ask as a probe does, which names the pod's address."""
        headers = {"host": "10.1.2.3:8317", "content-type": "application/json", "content-length": "2"}
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.request(
            method, path, body=b"{}", headers=headers | ({"authorization": f"Bearer {key}"} if key else {})
        )
        status = connection.getresponse().status
        connection.close()
        return status


def _spool(_request: Request) -> Response:
    return JSONResponse({})


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Started once a test."""
    made = Collector()
    yield made
    made.server.stop(timeout_s=5)


def test_a_probe_is_answered_and_a_stranger_is_not(collector: Collector) -> None:
    """An orchestrator has no key and knows the pod by its address; a spool is nobody's who merely reaches the port."""
    asked = {path: collector.ask(path) for path in ("/healthz", "/readyz", "/metrics", "/api/status", "/api/spool")}

    assert asked == {"/healthz": 200, "/readyz": 200, "/metrics": 401, "/api/status": 401, "/api/spool": 401}
    assert collector.ask("/api/spool/replay", method="POST") == 401
    assert collector.ask("/api/spool", key=KEY) == 200


def test_what_is_done_at_a_collector_is_told_and_needs_the_role(collector: Collector) -> None:
    """Replaying a file is an administrator's, here as at the console."""
    refused = collector.ask("/api/spool/replay", key=KEY, method="POST")
    done = collector.ask("/api/spool/replay", key=PEER, method="POST")

    assert (refused, done) == (403, 200)
    assert collector.acts == [("", "/api/spool/replay")]


def test_who_was_known_may_look_while_the_store_is_away_and_no_more(collector: Collector) -> None:
    """What waits in spools is asked for exactly then; what a key was worth since then nobody can say."""
    known = AccessKeys(collector.store, clock=lambda: collector.store.now_s)
    before = known.person(KEY)
    collector.store.is_away = True

    collector.store.now_s = 3600.0
    away = known.person(KEY)
    collector.store.now_s = 90_000.0
    with pytest.raises(StoreUnavailable):
        known.person(KEY)

    assert before == Person(name="ana", role="operator")
    assert away == Person(name="ana", role="viewer")


def test_a_store_that_was_never_there_is_said_and_no_fault_of_ours(collector: Collector) -> None:
    """A scraper sees 503 and its reason, not a broken server."""
    collector.store.is_away = True

    assert collector.ask("/metrics", key=KEY) == 503
    assert collector.ask("/healthz") == 200


def test_a_guard_set_at_the_console_reaches_the_evaluator_in_the_persons_name(running: Any) -> None:
    """The console may be another machine's: the evaluator believes it by their common secret, and no stranger."""
    app = build_app(replace(running.parts, identify=ByKey(AccessKeys(Keys()), secrets=("of its folder", PEER))))
    server = ApiServer(app, Address(host="127.0.0.1", port=0))
    holder = Holder(epoch=1, holder="pod", address=str(server.start()), asked_at=NOW, beat=NOW, age_s=0.0)

    GuardElsewhere(EvaluatorOf(lambda: holder, secret=PEER)).release("digits", actor="ana")
    with pytest.raises(UsageProblem, match="access key"):
        GuardElsewhere(EvaluatorOf(lambda: holder)).release("digits", actor="ana")
    server.stop(timeout_s=5)

    assert running.guard.done[0] == ("release", "default", "digits", "ana")


def test_what_is_scored_at_a_console_reaches_a_collector(collector: Collector) -> None:
    """A console has no spool: an answer that a reviewer gave is durable once a collector has it."""
    scores = [{"handle": "t1.x", "label": "refund", "project": "shop"}] * 20_000  # as a chunk of a label file
    fleet: Any = None

    def console(secret: str) -> Elsewhere:
        return Elsewhere("console", fleet, collectors=Client(collector.address, where="there", key=secret))

    taken = console(PEER).record_outcomes(scores)
    with pytest.raises(UsageProblem, match="access key"):
        console("").record_outcomes(scores)
    with pytest.raises(UsageProblem, match=r"collector\.api"):
        Elsewhere("console", fleet).record_outcomes(scores)

    assert taken["accepted"] == len(collector.outcomes) == 20_000


def test_the_peer_secret_and_the_drain_are_read_from_the_file(tmp_path: Path) -> None:
    """No secret stands in tocsin.yaml; the API beyond loopback answers under every name once people sign in."""
    file = tmp_path / "tocsin.yaml"
    file.write_text(
        "access: {login: keys, peer_secret: 'env:PEER'}\ncollector: {drain_s: 300, spool_max: 60GB}\nlisten: {api: '0.0.0.0:8317'}\n"
    )

    config = resolve(Flags(config=file), environment={"PEER": PEER}, cwd=tmp_path)

    assert (config.peer_secret, config.drain_s, config.api_takes_any_host) == (PEER, 300.0, True)
    assert config.spool_max_bytes == 60_000_000_000
    assert PEER not in repr(config)


def test_who_has_no_name_acts_under_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container there is often no such user, and a key has to be made all the same."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)

    assert person(None) == f"uid {os.getuid()}"
    assert person("ana") == "ana"


def test_a_spool_that_holds_no_segment_is_refused(tmp_path: Path) -> None:
    """A collector that could take nothing at all would say so only to its first sender."""
    file = tmp_path / "tocsin.yaml"
    file.write_text("collector: {spool_max: 10MB}\n")

    with pytest.raises(UsageProblem, match=r"collector\.spool_max of at least 64MiB.*'10MB'"):
        resolve(Flags(config=file), environment={}, cwd=tmp_path)


@pytest.mark.server
def test_migrating_makes_the_tables_once_and_ends(server_url: str, tmp_path: Path) -> None:
    """It is what runs before the parts of a new version start, as the one user who may."""
    from typer.testing import CliRunner

    from tocsin_collector.store.database import Database, StoreAddress
    from tocsin_console.cli.app import build

    environment = {"TOCSIN_DATABASE": "migrated_by_verb", "TOCSIN_CLICKHOUSE_URL": server_url}
    environment |= {"TOCSIN_DATA_DIR": str(tmp_path / "none")}
    runs = [CliRunner().invoke(build(), ["migrate", "--json"], env=environment) for _ in range(2)]
    store = Database.open(StoreAddress(url=server_url, database="migrated_by_verb"))
    [found] = store.rows("SELECT count() AS n FROM schema_migrations FINAL")
    store.command("DROP DATABASE migrated_by_verb")
    store.close()

    first, second = (json.loads(run.stdout) for run in runs)
    assert len(first["applied"]) == found["n"] > 0
    assert second["applied"] == []
    assert not (tmp_path / "none").exists()

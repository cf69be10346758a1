"""Two shards of two replicas and a Keeper: what is loaded is there once, whichever of them are down meanwhile."""

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bench._clickhouse import CLUSTER, ClickHouse
from tests.alerts.evaluators.store import DAY, EVALUATORS, HOUR, MONDAY, Store
from tests.collector.conftest import NOW, Run
from tests.collector.rehearsal import Verb, commands, verbs
from tests.collector.sending import START_NS, Client, count, eventually, loaded, trace_request
from tests.collector.test_corrections import INNER, LONG_AGO, OUTER
from tests.collector.test_normalisation import price, span_segment, spans

from tocsin_alerts.records import Sample
from tocsin_collector.collector import Collector
from tocsin_collector.correct.across import settle_across
from tocsin_collector.correct.call_keeper import CallKeeper
from tocsin_collector.correct.corrections import price_calls, settle_duplicates
from tocsin_collector.correct.relabel import relabel
from tocsin_collector.errors import StoreUnavailable, Unauthenticated
from tocsin_collector.load.stores import EmbeddedStore
from tocsin_collector.privacy.forget import Request, forget
from tocsin_collector.receive.ingest_keys import IngestKeys
from tocsin_collector.receive.key_book import KeyBook
from tocsin_collector.store.cluster import ClusterStore, each_shard, survey
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.lease import TTL_S, Lease
from tocsin_collector.store.lease_claims import claims_in, holder_of
from tocsin_collector.store.migrate import migrate
from tocsin_collector.store.placement import SHARDED
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest

pytestmark = pytest.mark.server

_FILLED = f"""
SELECT DISTINCT database, name FROM clusterAllReplicas('{CLUSTER}', system.tables)
WHERE has({{databases:Array(String)}}, database) AND total_rows > 0
"""


@pytest.fixture(scope="module")
def cluster(clickhouse_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """A 2 x 2 cluster of this test run's own."""
    with ClickHouse.of(clickhouse_binary, tmp_path_factory.mktemp("cluster"), shards=2, replicas=2) as running:
        yield running


@pytest.fixture(scope="module")
def migrated(cluster: ClickHouse) -> StoreAddress:
    """Where its tables are: built once, since every statement asks four nodes."""
    url, *more = cluster.urls
    address = StoreAddress(url=url, more_urls=tuple(more), cluster=CLUSTER, database=f"t_{uuid.uuid4().hex[:12]}")
    opened = Database.open(address)
    migrate(opened, now=NOW)
    opened.close()
    return address


@pytest.fixture
def spread(migrated: StoreAddress) -> Iterator[Database]:
    """The migrated cluster, empty: only what holds rows is emptied, since each statement waits for four nodes."""
    opened = Database.open(migrated)
    emptied = {
        migrated.database: ("load_ledger", "outcomes", "watermarks", "dead_letters"),
        migrated.shard_database: SHARDED,
    }
    for row in opened.rows(_FILLED, {"databases": list(emptied)}):
        if row["name"] in emptied[row["database"]]:
            opened.command(f"TRUNCATE TABLE `{row['database']}`.`{row['name']}` ON CLUSTER {CLUSTER} SYNC")
    yield opened
    opened.close()


@pytest.fixture
def load(run: Run, database: Database) -> Callable[..., None]:
    """Send requests through a collector over a store, each as a segment of its own, until all are loaded."""

    def send(over: Database, numbers: range) -> None:
        collector, client = run(over, store=ClusterStore(over, database), quiet_s=0.0)
        for number in numbers:
            client.export(trace_request(3, number=number, tocsin__input__ink=0.5, tocsin__cost__amount=0.5))
            loaded(collector)
        collector.stop()

    return send


def test_segments_are_spread_and_read_as_one(spread: Database, load: Callable[..., None]) -> None:
    """A team asks `ai_calls` and gets every call of every shard, sums too; each segment is whole on one shard."""
    load(spread, range(12))

    by_shard = spread.rows("SELECT _shard_num AS shard, count() AS n FROM otel_traces GROUP BY shard ORDER BY shard")
    assert [row["shard"] for row in by_shard] == [1, 2]
    assert count(spread, "otel_traces") == count(spread, "ai_calls") == 36
    assert spread.rows("SELECT sum(calls) AS n, sum(cost) AS c FROM ai_calls_1h")[0]["n"] == 36
    homes = spread.rows("SELECT segment, uniqExact(_shard_num) AS shards FROM otel_traces GROUP BY segment")
    assert {row["shards"] for row in homes} == {1}


def test_same_segment_on_the_other_replica_stores_nothing_more(run: Run, spread: Database, database: Database) -> None:
    """A replica may die after it stored a segment and before it said so: its sister gets the segment, and must know it."""

    class OnBoth(ClusterStore):
        def insert(self, segment: object) -> None:
            super().insert(segment)  # type: ignore[arg-type]
            for client in self._clients:
                client._leave_host()
            super().insert(segment)  # type: ignore[arg-type]

    collector, client = run(spread, store=OnBoth(spread, database))
    call = CallRef(use_case="ticket-triage", call_id="c1", started_unix_nano=START_NS, label="a", confidence=0.5)

    client.export(trace_request(5, tocsin__input__ink=0.5))
    client.record(RecordOutcomesRequest(outcomes=[Outcome(call=call, label="a")]))
    loaded(collector)

    assert count(spread, "otel_traces") == count(spread, "ai_calls") == 5
    assert spread.rows("SELECT sum(calls) AS n FROM ai_calls_1h") == [{"n": 5}]
    assert count(spread, "outcomes") == 1


def test_replica_killed_and_rejoined_ends_with_every_row_once(
    cluster: ClickHouse, spread: Database, migrated: StoreAddress, run: Run, database: Database
) -> None:
    """Loading goes on through the sister, also when the dead one was the one asked; back again, it catches up."""
    careless = replace(migrated, insert_quorum="0")
    over = Database.open(careless)
    collector, client = run(over, store=ClusterStore(over, database), quiet_s=0.0)
    client.export(trace_request(3, number=0))
    loaded(collector)

    cluster.kill("s1r1")
    try:
        for number in range(1, 13):
            client.export(trace_request(3, number=number))
        loaded(collector)
        while_dead = count(over, "otel_traces")
    finally:
        cluster.start("s1r1")
    eventually(lambda: _rows_of(cluster, "s1r1", migrated) == _rows_of(cluster, "s1r2", migrated))
    over.close()

    assert while_dead == 39
    for table in ("otel_traces", "ai_calls"):
        assert count(spread, table) == 39
        assert spread.rows(f"SELECT uniqExact(span_id) AS n FROM {table}".replace("span_id", _span_id(table))) == [
            {"n": 39}
        ]
    assert spread.rows("SELECT sum(calls) AS n FROM ai_calls_1h") == [{"n": 39}]


def test_quorum_that_is_not_there_keeps_the_segment_in_the_spool(
    cluster: ClickHouse, spread: Database, run: Run, database: Database
) -> None:
    """A segment leaves the spool when as many replicas have it as was asked for, and not before."""
    address = replace(spread.address, insert_quorum="2")
    over = Database.open(address)
    collector, client = run(over, store=ClusterStore(over, database), quiet_s=0.0)
    for name in ("s1r2", "s2r2"):
        cluster.kill(name)
    try:
        for name in ("s1r1", "s2r1"):  # until Keeper has missed the dead, an insert waits for them
            eventually(lambda name=name: _alone(cluster, name, spread.address))
        client.export(trace_request(3))
        eventually(lambda: collector.stats().load_errors > 0)
        waiting = collector.stats().waiting_spans
    finally:
        for name in ("s1r2", "s2r2"):
            cluster.start(name)
    loaded(collector)
    over.close()

    assert waiting == 3
    assert count(spread, "otel_traces") == 3


def test_reader_goes_on_to_the_next_host(cluster: ClickHouse, migrated: StoreAddress) -> None:
    """Evaluators and pages ask any host: one that is down costs them nothing but a look."""
    dead = "http://default@127.0.0.1:1"
    opened = Database.open(replace(migrated, url=dead, more_urls=cluster.urls))

    assert opened.rows("SELECT 1 AS one") == [{"one": 1}]
    opened.close()


def test_no_host_is_an_error_without_a_secret(migrated: StoreAddress) -> None:
    """What is printed when nothing answers says where it looked, and not with which password."""
    address = replace(migrated, url="http://someone@127.0.0.1:1", more_urls=(), password="hunter2")

    with pytest.raises(StoreUnavailable) as refusal:
        Database.open(address)

    assert "http://127.0.0.1:1" in str(refusal.value)
    assert "hunter2" not in f"{refusal.value} {address!r}"


def test_hosts_say_to_which_shard_they_belong(cluster: ClickHouse, migrated: StoreAddress) -> None:
    """Ports in a server's own list are its native ones, so each host is asked."""
    layout = survey(migrated)

    assert layout.shards == 2
    assert layout.hosts == {1: list(cluster.urls[:2]), 2: list(cluster.urls[2:])}


def test_relabelling_moves_every_shard(spread: Database, load: Callable[..., None]) -> None:
    """A name that moved on one shard and not on the other would split a use case in two."""
    load(spread, range(8))

    moved = relabel(spread, "default", "ticket-triage", "triage")

    assert moved.calls == 24
    assert spread.rows("SELECT use_case, sum(calls) AS n FROM ai_calls_1h GROUP BY 1 HAVING n != 0") == [
        {"use_case": "triage", "n": 24}
    ]
    assert spread.rows("SELECT DISTINCT use_case FROM ai_calls") == [{"use_case": "triage"}]
    assert count(spread, "ai_calls") == 24


def test_calls_are_settled_and_priced_on_every_shard(spread: Database, database: Database, tmp_path: Path) -> None:
    """Corrections go into the shard's own tables, where the sums of its calls are."""
    store = ClusterStore(spread, database)
    for number in range(1, 5):
        ids = {"gen_ai.response.id": f"r{number}"}
        store.insert(span_segment(tmp_path, spans({**OUTER, **ids}, {**INNER, **ids}), number=number))
    spread.insert("prices", [price(model="gpt-4o-2024-08-06", input_per_mtok=1.0)])
    shards = each_shard(spread)

    settled = [settle_duplicates(shard, LONG_AGO).written for shard in shards]
    priced = [price_calls(shard, ["gpt-4o-2024-08-06"]).written for shard in shards]

    assert sum(settled) == sum(priced) == 4
    assert spread.rows(
        "SELECT use_case, sum(calls) AS n, sum(unpriced) AS unpriced FROM ai_calls_1h GROUP BY 1 HAVING n != 0"
    ) == [{"use_case": "ticket-triage", "n": 4, "unpriced": 0}]
    for opened in (*shards, store):
        opened.close()


Put = Callable[[dict[str, Any], int], None]


@pytest.fixture
def put(spread: Database, database: Database, tmp_path: Path) -> Iterator[Put]:
    """Store one span on the shard of this number."""
    store, layout = ClusterStore(spread, database), survey(spread.address)

    def on(span: dict[str, Any], shard: int) -> None:
        segments = (span_segment(tmp_path, spans(span), number=number) for number in itertools.count(1))
        store.insert(next(each for each in segments if layout.shard_of(each.hash) == shard))

    yield on
    store.close()


@pytest.fixture
def apart(spread: Database, put: Put) -> Iterator[tuple[Database, list[Database]]]:
    """Two responses whose outer and inner spans lie on different shards, one that lies on one, and each shard."""
    for response, wanted in (("r1", (1, 2)), ("r2", (2, 1)), ("r3", (1, 1))):
        ids = {"gen_ai.response.id": response}
        for span, shard in zip(({**OUTER, **ids}, {**INNER, **ids}), wanted, strict=True):
            put(span, shard)
    shards = each_shard(spread)
    yield spread, shards
    for opened in shards:
        opened.close()


def one_call_each(spread: Database) -> None:
    """Hold calls and sums of three responses to three calls."""
    calls = spread.rows(
        "SELECT use_case, model_name, output_label, input_tokens, sign FROM ai_calls ORDER BY call_key, call_id"
    )
    assert [set(call.values()) for call in calls] == [set(calls[0].values())] * 3
    assert (calls[0]["use_case"], calls[0]["output_label"], calls[0]["sign"]) == ("ticket-triage", "billing", 1)
    assert calls[0]["model_name"]
    [sums] = spread.rows("SELECT sum(calls) AS n, sum(input_tokens) AS tokens FROM ai_calls_1h WHERE segment_name = ''")
    assert sums == {"n": 3, "tokens": 3 * calls[0]["input_tokens"]}
    cells = spread.rows("SELECT sum(n) AS n FROM input_histogram_1h WHERE kind = 'latency' AND segment_name = ''")
    assert cells == [{"n": 3}]
    assert count(spread, "cluster_corrections") == 0


def test_spans_of_one_response_on_two_shards_are_one_call(apart: tuple[Database, list[Database]]) -> None:
    """Two processes of one service send to whichever collector answers: what both tell of must not be costed twice."""
    spread, shards = apart

    keeper = CallKeeper(spread, (), catalogue=_no_catalogue, now=lambda: datetime.now(UTC), shards=lambda: shards)
    keeper.settle()
    keeper.settle()

    one_call_each(spread)


def test_span_that_names_the_one_around_it_on_another_shard_is_the_same_call(spread: Database, put: Put) -> None:
    """A request that failed has no response to share: without one, too, what two spans tell of is one call."""
    outer = (7).to_bytes(16).hex() + (1).to_bytes(8).hex()
    failed = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "error.type": "429"}
    put({**failed, "_span": 1, "_took_ms": 9}, 1)
    put({**failed, "tocsin.call.id": outer, "_span": 2}, 2)
    shards = each_shard(spread)

    settle_across(spread, shards, LONG_AGO)
    for opened in shards:
        opened.close()

    assert spread.rows("SELECT call_id, span_id FROM ai_calls") == [{"call_id": outer, "span_id": outer[32:]}]
    assert spread.rows("SELECT sum(calls) AS n FROM ai_calls_1h WHERE segment_name = ''") == [{"n": 1}]


@pytest.mark.parametrize("dies_at", [1, 2, 3, 5])
def test_correction_over_shards_that_is_cut_short_is_ended_by_the_next(
    apart: tuple[Database, list[Database]], dies_at: int
) -> None:
    """A row taken back on one shard and not yet counted on the other would be a call that nobody sees."""
    spread, shards = apart
    steps = iter(range(100))

    class Dying(Database):
        def command(self, sql: str, **how: Any) -> None:
            _die(next(steps) == dies_at)
            super().command(sql, **how)

        def insert_raw(self, table: str, columns: Any, block: bytes, **how: Any) -> None:
            _die(next(steps) == dies_at)
            super().insert_raw(table, columns, block, **how)

    dying = Dying.open(spread.address)
    theirs = [dying.on_shard(shard.address.urls) for shard in shards]
    with contextlib.suppress(StoreUnavailable):
        settle_across(dying, theirs, LONG_AGO)
    for opened in (dying, *theirs):
        opened.close()

    settle_across(spread, shards, LONG_AGO)
    for shard in shards:
        settle_duplicates(shard, LONG_AGO)

    one_call_each(spread)


def _die(dies: bool) -> None:
    if dies:
        raise StoreUnavailable("died")


def _no_catalogue() -> Any:
    raise AssertionError("nobody asks for prices")


def test_evaluators_say_the_same_on_a_cluster(spread: Database, database: Database, tmp_path: Path) -> None:
    """A rule must not page on shards and be silent on one server: each hour's sums lie on all of them."""
    stores = ClusterStore(spread, database), EmbeddedStore(database)
    answers: list[dict[str, list[Sample]]] = []
    for over, store in zip((spread, database), stores, strict=True):
        for number in range(6):
            store.insert(span_segment(tmp_path, *_mixed(number), number=number))
        answers.append(_evaluated(Store(database=over, project="default")))
    stores[0].close()

    on_cluster, on_one = answers
    shards = spread.rows("SELECT uniqExact(_shard_num) AS n FROM ai_calls_1h")
    assert shards == [{"n": 2}]
    said = {name for name, samples in on_one.items() if any(each.value is not None for each in samples)}
    assert said >= {
        "accuracy",
        "estimated_accuracy",
        "confidence_shift",
        "input_psi",
        "cost_per_day",
        "volume",
        "freshness",
    }
    for name, samples in on_one.items():
        assert [_figures(each) for each in on_cluster[name]] == [pytest.approx(_figures(each)) for each in samples]
        assert [each.labels for each in on_cluster[name]] == [each.labels for each in samples]


def _mixed(number: int) -> list[bytes]:
    """Make requests that differ in every figure that is evaluated."""
    return [
        trace_request(
            20 + number,
            number=100 * number + part,
            tocsin__model__version="m1",
            tocsin__input__ink=0.1 * part + number,
            tocsin__input__device="abc"[(number + part) % 3],
            tocsin__segment__site="xy"[part % 2],
            tocsin__output__label="yes",
            tocsin__confidence=0.6 + 0.03 * part + 0.01 * number,
            tocsin__cost__amount=0.001 * (part + 1),
            tocsin__cost__currency="USD",
        ).SerializeToString()
        for part in range(5)
    ]


def _evaluated(store: Store) -> dict[str, list[Sample]]:
    """Run every shipped evaluator over the day, against the same references and labels."""
    case = {"use_case": "ticket-triage"}
    store.profile("input", [300.0, 200.0, 100.0], field="device", names=["a", "b"], **case)
    store.profile("input", [300.0, 300.0], field="ink", edges=[-32768], **case)
    store.profile("confidence", [300.0, 300.0], edges=[-32768, 1900], **case)
    store.calibration([0, 1900], [1.0, 0.5], [400, 100], segment_estimates={"site=x": 0.97}, **case)
    store.outcomes(
        [
            {
                "started_at": MONDAY - 6 * DAY - HOUR,
                "call_id": f"c{n}",
                "outcome_id": f"o{n}",
                "correct": int(n % 4 > 0),
            }
            | {"segments": {"site": "xy"[n % 2]}, **case}
            for n in range(40)
        ]
    )
    return {name: store.run(name, since=MONDAY, until=MONDAY + DAY, step=6 * HOUR) for name in EVALUATORS}


def _figures(sample: Sample) -> dict[str, float | None]:
    return {name: getattr(sample, name) for name in ("value", "lower", "upper", "baseline", "n")}


def test_every_statement_can_be_run_again_on_a_cluster(migrated: StoreAddress) -> None:
    """Collectors start at the same time and migrate at the same time: the second finds nothing to do."""
    opened = Database.open(migrated)
    clients = each_shard(opened)

    assert migrate(opened, now=NOW) == ()
    assert len(clients) == 2
    for client in (*clients, opened):
        client.close()


def test_key_revoked_on_one_host_is_revoked_on_all(cluster: ClickHouse, spread: Database) -> None:
    """Collectors ask whichever host answers; a revocation must not depend on which."""
    project = f"p-{uuid.uuid4().hex[:8]}"
    made = KeyBook(spread).create(project, name="", by="ann", now=NOW)
    KeyBook(spread).revoke(made.facts.key_id, by="bob", now=NOW)
    reading = spread.sibling()
    ring = IngestKeys(reading, required=True)

    ring.refresh()

    reading.close()
    with pytest.raises(Unauthenticated, match="revoked"):
        ring.project_of(made.key)
    asked = f"SELECT countIf(revoked_at IS NOT NULL) FROM {spread.address.database}.ingest_keys FINAL WHERE project = '{project}'"
    eventually(lambda: {cluster.ask(node, asked) for node in ("s1r1", "s1r2", "s2r1", "s2r2")} == {"1"})


def test_person_is_forgotten_on_every_shard(run: Run, spread: Database, database: Database) -> None:
    """Each segment lies on the shard that its hash names: a person's calls lie on all."""
    collector, client = run(spread, store=ClusterStore(spread, database), quiet_s=0.0)
    for number in range(8):
        client.export(trace_request(2, number=number, user__id="ada" if number % 2 else "bob"))
        loaded(collector)

    report = forget(spread, Request(project="default", user="ada"), by="dpo", now=NOW)

    found = {each.place: (each.before, each.after) for each in report.places}
    assert report.is_forgotten
    assert found["otel_traces"] == found["ai_calls"] == (8, 0)
    assert count(spread, "ai_calls") == 8


def _rows_of(cluster: ClickHouse, node: str, address: StoreAddress) -> str:
    return cluster.ask(node, f"SELECT count(), uniqExact(SpanId) FROM {address.shard_database}.otel_traces")


def _alone(cluster: ClickHouse, node: str, address: StoreAddress) -> bool:
    sql = f"SELECT max(active_replicas) FROM system.replicas WHERE database = '{address.shard_database}'"
    return cluster.ask(node, sql) == "1"


def _span_id(table: str) -> str:
    return "SpanId" if table == "otel_traces" else "span_id"


def test_of_two_evaluators_one_has_the_lease_in_keeper(cluster: ClickHouse, migrated: StoreAddress) -> None:
    """Asked on two nodes at the same moment, Keeper gives each epoch to one; whoever follows has the next one."""
    clock = [0.0]
    nodes = [Database.open(replace(migrated, url=url, more_urls=())) for url in (cluster.urls[0], cluster.urls[3])]
    made = [claims_in(node, "a-test") for node in nodes]
    first, second = (
        Lease(claims, holder=f"host:{number}", address="", elapsed=lambda: clock[0])
        for number, (claims, _) in enumerate(made)
    )
    rivals = [claims.claim(9, holder=f"rival:{number}", address="") for number, (claims, _) in enumerate(made)]
    [has_it] = [rival for rival in rivals if rival]
    made[0][0].renew(has_it, released=True)

    taken = first.take(), second.take()
    clock[0] += TTL_S
    followed = second.take()

    assert [may_wait for _, may_wait in made] == [True, True]
    assert (taken, followed, second.epoch) == ((True, False), True, 11)
    assert not first.renew()
    held = holder_of(nodes[0], "a-test")
    assert held is not None
    assert (held.holder, held.epoch) == ("host:1", 11)
    for node in nodes:
        node.close()


@dataclass
class Stream:
    """Requests one after the other, each a segment of its own, until something holds: which shard one comes to nobody chooses."""

    collector: Collector
    client: Client
    sent: int = 0

    def until(self, holds: Callable[[], object]) -> None:
        """Send at least one."""
        while True:
            self._send_one()
            if holds():
                return

    def _send_one(self) -> None:
        errors = self.collector.stats().load_errors
        self.client.export(trace_request(3, number=self.sent, tocsin__input__ink=0.5))
        self.sent += 1
        eventually(lambda: not (stats := self.collector.stats()).waiting_spans or stats.load_errors > errors)

    def is_held(self) -> bool:
        """Whether something waits in the spool."""
        return self.collector.stats().waiting_spans > 0

    def are_stored_once(self, over: Database) -> None:
        """Hold spans, calls and sums to what was sent."""
        spans = 3 * self.sent
        found = over.rows("SELECT count() AS n, uniqExact(SpanId) AS different FROM otel_traces")
        assert found == [{"n": spans, "different": spans}]
        assert count(over, "ai_calls") == spans
        assert over.rows("SELECT sum(calls) AS n FROM ai_calls_1h") == [{"n": spans}]


@pytest.fixture
def stream(spread: Database, run: Run, database: Database) -> Stream:
    """A sender, and a collector over the cluster."""
    return Stream(*run(spread, store=ClusterStore(spread, database), quiet_s=0.0))


@pytest.fixture
def tocsin(migrated: StoreAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """The command line, over the cluster."""
    return verbs(migrated, tmp_path, monkeypatch)


def _on_shards(over: Database) -> int:
    return int(over.rows("SELECT uniqExact(_shard_num) AS n FROM otel_traces")[0]["n"])


def test_node_that_is_gone_for_good_is_replaced_by_an_empty_one(
    cluster: ClickHouse, spread: Database, stream: Stream, tocsin: Verb
) -> None:
    """Its disk is lost with it. The new node gets its tables from a command, its rows from its sister, and nobody sends twice."""
    status, repair = commands("cluster.md", __file__)
    stream.until(lambda: _on_shards(spread) == 2)

    cluster.lose("s1r2")
    eventually(lambda: _alone(cluster, "s1r1", spread.address))  # until then an insert waits a minute for the dead
    stream.until(stream.is_held)
    cluster.start("s1r2")
    beginning = [node["state"] for node in tocsin(status, code=1)["nodes"]]
    repaired = tocsin(repair)
    loaded(stream.collector)
    eventually(lambda: _rows_of(cluster, "s1r2", spread.address) == _rows_of(cluster, "s1r1", spread.address))
    again = tocsin(repair)

    assert beginning[1] == "empty"
    assert not {"empty", "incomplete", "away"} & {beginning[0], *beginning[2:]}
    assert (repaired["nodes"], again["nodes"]) == (["s1r2"], [])
    stream.are_stored_once(spread)
    replaced = Database.open(replace(spread.address, url=cluster.node("s1r2").url, more_urls=()))
    stream.are_stored_once(replaced)
    replaced.close()


def test_shard_that_lost_every_disk_comes_back_from_a_backup(
    cluster: ClickHouse, spread: Database, stream: Stream, tocsin: Verb
) -> None:
    """What was loaded before the backup is in it, what came after the loss is in the spool: together each span once."""
    whole, added, restore = commands("backup.md", __file__)
    stream.until(lambda: _on_shards(spread) == 2)
    tocsin(whole)
    stream.until(lambda: True)
    loaded(stream.collector)
    tocsin(added)

    for name in ("s2r1", "s2r2"):
        cluster.lose(name)
    stream.until(stream.is_held)
    for name in ("s2r1", "s2r2"):
        cluster.start(name)
    refused = tocsin(["cluster", "repair"], code=2)
    is_held = stream.is_held()
    restored = tocsin(restore)
    loaded(stream.collector)

    assert "restore --from BACKUP --shard 2" in refused["error"]
    assert is_held
    assert restored["fewer"] == []
    assert {table["verdict"] for table in restored["tables"]} == {"same"}
    assert {"otel_traces", "ai_calls", "ai_calls_1h"} <= {table["table"] for table in restored["tables"]}
    stream.are_stored_once(spread)

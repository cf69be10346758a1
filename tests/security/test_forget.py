"""Forgetting a person or a call: everything of theirs goes, nothing of anybody else's does, and counting proves both."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, Client, loaded, pair, trace_request
from tests.databases import Databases

from tocsin_collector.collector import Collector
from tocsin_collector.errors import ForgetProblem
from tocsin_collector.load.stores import ServerStore
from tocsin_collector.privacy.erasure import Marks
from tocsin_collector.privacy.forget import Report, Request, forget
from tocsin_collector.privacy.letters import without
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.store.database import Database
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ADA, BOB = "ada@example.com", "bob's \\ id"
TRACE = "0" * 31 + "1"


def _span(request: ExportTraceServiceRequest, number: int, parent: int = 0, trace: int = 1, **said: Any) -> None:
    request.resource_spans[0].scope_spans[0].spans.add(
        trace_id=trace.to_bytes(16),
        span_id=number.to_bytes(8),
        parent_span_id=parent.to_bytes(8) if parent else b"",
        name="predict",
        start_time_unix_nano=START_NS + number,
        end_time_unix_nano=START_NS + number + 1000,
        attributes=[pair(key.replace("__", "."), value) for key, value in said.items()],
    )


def _batch() -> ExportTraceServiceRequest:
    """One trace of a batch job: a request of Ada's with a model call below it, one of Bob's, one of nobody's."""
    request = trace_request(0)
    request.resource_spans[0].scope_spans[0].SetInParent()
    _span(request, 1)
    _span(request, 2, 1, enduser__id=ADA)
    _span(
        request,
        3,
        2,
        tocsin__use_case="triage",
        tocsin__call__id="ada-1",
        tocsin__input__name="Ada Lovelace",
        tocsin__input__land="UK",
    )
    _span(request, 4, 3, gen_ai__prompt="I am Ada Lovelace")
    _span(
        request,
        5,
        1,
        tocsin__use_case="triage",
        tocsin__call__id="bob-1",
        user__id=BOB,
        tocsin__input__name="Bob",
        tocsin__input__land="UK",
    )
    _span(request, 6, 1, tocsin__use_case="triage", tocsin__call__id="no-1", tocsin__input__land="FR")
    return request


def _outcomes(*calls: str) -> RecordOutcomesRequest:
    nonce = uuid.uuid4().hex  # unlike any sent before
    refs = [CallRef(use_case="triage", call_id=call, started_unix_nano=START_NS) for call in calls]
    made = [Outcome(call=ref, label="x", author="reviewer", comment=nonce) for ref in refs]
    return RecordOutcomesRequest(outcomes=made)


@dataclass(frozen=True, slots=True)
class Kept:
    """A running collector and its store, which the tests of this module share: starting one takes a second."""

    database: Database
    collector: Collector
    client: Client

    def empty(self) -> None:
        """Begin anew."""
        for table in ("otel_traces", "otel_traces_trace_id_ts", "ai_calls", "ai_calls_1h", "input_histogram_1h", "outcomes",
                      "dead_letters", "notifications", "audit_log", "erasures"):  # fmt: skip
            self.database.command(f"TRUNCATE TABLE {table}")

    def send(self, request: ExportTraceServiceRequest) -> None:
        """Send spans that are unlike any sent before."""
        request.resource_spans[0].resource.attributes.append(pair("nonce", uuid.uuid4().hex))
        self.client.export(request)
        loaded(self.collector)


@pytest.fixture(scope="module")
def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """One collector for the module."""
    settings = CollectorSettings(data_dir=tmp_path_factory.mktemp("forget"), grpc_address="127.0.0.1:0")
    with databases.one() as database:
        collector = Collector(settings, database)
        collector.start()
        client = Client(collector.grpc_port)
        yield Kept(database, collector, client)
        client.channel.close()
        collector.stop()


@pytest.fixture
def kept(shared: Kept) -> Kept:
    """An empty store."""
    shared.empty()
    return shared


@pytest.fixture
def filled(kept: Kept) -> Database:
    """A store with calls of Ada, Bob and nobody, outcomes, a message about them, and dead letters."""
    database = kept.database
    kept.client.record(_outcomes("ada-1", "bob-1", "no-1"))
    kept.send(_batch())
    letters = {
        "a" * 32: _batch().SerializeToString(),
        "b" * 32: b"\xff broken " + ADA.encode(),
        "c" * 32: b"\xff broken",
    }
    common = {"project": "default", "kind": "traces", "segment": "s", "reason": "r", "received_at": NOW, "at": NOW}
    common |= {"received_ns": START_NS, "position": 1, "together": 0}
    database.insert("dead_letters", [{**common, "digest": name, "body": body} for name, body in letters.items()])
    message = {
        "notification": "n",
        "project": "default",
        "use_case": "triage",
        "body": "for example ada-1: Ada Lovelace",
    }
    database.insert("notifications", [{**message, "subject": "Ada", "slot": NOW, "at": NOW, "version": 1}])
    return database


def _everywhere(database: Database, needle: str) -> dict[str, int]:
    """Look for a text in every column of every table, whatever we think is in it."""
    found = {}
    tables = database.rows(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    )
    for row in tables:
        sql = f"SELECT count() AS n FROM {row['name']} WHERE position(toString(tuple(*)), {{needle:String}}) > 0"
        if n := database.rows(sql, {"needle": needle})[0]["n"]:
            found[row["name"]] = int(n)
    return found


def _left(report: Report) -> dict[str, tuple[int, int]]:
    return {each.place: (each.before, each.after) for each in report.places}


def _calls(database: Database, table: str = "ai_calls") -> set[str]:
    return {row["call_id"] for row in database.rows(f"SELECT call_id FROM {table}")}


def test_a_person_is_erased_from_every_place(filled: Database, tmp_path: Path) -> None:
    """Also what only stands near them: the model call below their request, its prompt, the name in a histogram."""
    for name, left in {"1": b"half of " + ADA.encode(), "2": b"half of somebody"}.items():
        (tmp_path / name).write_bytes(left)
    assert _everywhere(filled, ADA)
    assert _everywhere(filled, "Lovelace").keys() >= {"otel_traces", "ai_calls", "input_histogram_1h", "notifications"}

    report = forget(filled, Request(project="default", user=ADA), by="dpo", now=NOW, damaged=tmp_path)

    assert [each.name for each in tmp_path.iterdir()] == ["2"]

    assert report.is_forgotten
    for needle in (ADA, "Lovelace", "ada-1"):
        assert _everywhere(filled, needle) == {}, needle
    assert {place: counts for place, counts in _left(report).items() if counts != (0, 0)} == {
        "ai_calls": (1, 0),
        "damaged spool bytes": (1, 0),
        "dead_letters": (2, 0),
        "input_histogram_1h": (1, 0),
        "notifications": (1, 0),
        "otel_traces": (3, 0),
        "outcomes": (1, 0),
    }


def test_what_is_others_stays(filled: Database) -> None:
    """Bob's call, nobody's, the batch's root, the value that another call had too, and the sums."""
    forget(filled, Request(project="default", user=ADA), by="dpo", now=NOW)

    assert _calls(filled) == _calls(filled, "outcomes") == {"bob-1", "no-1"}
    assert filled.rows("SELECT count() AS n FROM otel_traces")[0]["n"] == 3
    lands = filled.rows("SELECT category, sum(n) AS n FROM input_histogram_1h WHERE field = 'land' GROUP BY category")
    assert {row["category"]: row["n"] for row in lands} == {"UK": 2, "FR": 1}
    assert filled.rows("SELECT sum(calls) AS n FROM ai_calls_1h")[0]["n"] == 3
    assert filled.rows("SELECT count() AS n FROM otel_traces_trace_id_ts")[0]["n"] == 1
    (letter,) = filled.rows("SELECT hex(body) AS body, received_ns FROM dead_letters FINAL WHERE length(body) > 20")
    assert letter["received_ns"] == START_NS
    kept = ExportTraceServiceRequest.FromString(bytes.fromhex(letter["body"]))
    spans = kept.resource_spans[0].scope_spans[0].spans
    assert [int.from_bytes(span.span_id) for span in spans] == [1, 5, 6]


def test_an_id_is_a_value_and_not_sql(filled: Database) -> None:
    """Quotes and backslashes are part of somebody's name."""
    report = forget(filled, Request(project="default", user=BOB), by="dpo", now=NOW)

    assert report.is_forgotten
    assert _calls(filled) == {"ada-1", "no-1"}


@pytest.mark.parametrize("call_id", ["ada-1", TRACE + "0" * 15 + "6"])
def test_a_call_is_erased_by_its_id(filled: Database, call_id: str) -> None:
    """The one that the service gave, or the default of trace and span id."""
    report = forget(filled, Request(project="default", call_id=call_id), by="dpo", now=NOW)

    assert report.is_forgotten
    assert len(_calls(filled)) == 2
    assert "bob-1" in _calls(filled, "outcomes")


def test_whole_traces_go_when_asked(filled: Database) -> None:
    """Where one trace is one person's, what stands beside their spans is theirs as well."""
    report = forget(filled, Request(project="default", user=ADA, whole_traces=True), by="dpo", now=NOW)

    assert report.is_forgotten
    assert _calls(filled) == set()
    assert filled.rows("SELECT count() AS n FROM otel_traces_trace_id_ts")[0]["n"] == 0


def test_a_dry_run_erases_nothing_and_says_the_same(filled: Database) -> None:
    """Counting first is how one finds out that an id is written otherwise."""
    dry = forget(filled, Request(project="default", user=ADA), by="dpo", now=NOW, dry_run=True)
    wet = forget(filled, Request(project="default", user=ADA), by="dpo", now=NOW)

    assert [each.before for each in dry.places] == [each.after for each in dry.places]
    assert [each.before for each in dry.places] == [each.before for each in wet.places]
    assert not dry.is_forgotten


def test_forgetting_again_finds_nothing(filled: Database) -> None:
    """It may be interrupted and run again."""
    forget(filled, Request(project="default", user=ADA), by="dpo", now=NOW)

    again = forget(filled, Request(project="default", user=ADA), by="dpo", now=NOW)

    assert again.is_forgotten
    assert sum(each.before for each in again.places) == 0


def test_another_project_is_named_and_left_alone(filled: Database) -> None:
    """The same id may be another person there."""
    row = filled.rows("SELECT * FROM ai_calls WHERE call_id = 'bob-1'")[0]
    filled.insert("ai_calls", [{**row, "project": "labs", "segment": "other"}])

    report = forget(filled, Request(project="default", user=BOB), by="dpo", now=NOW)

    assert report.elsewhere == {"labs": 1}
    assert _calls(filled) == {"ada-1", "no-1", "bob-1"}


def test_the_audit_log_says_that_and_by_whom_but_not_whom(filled: Database) -> None:
    """A list of who asked to be forgotten would be the opposite."""
    forget(filled, Request(project="default", user=ADA), by="dpo", now=NOW)

    (entry,) = filled.rows("SELECT * FROM audit_log WHERE action = 'forget'")
    assert entry["actor"] == "dpo"
    assert entry["subject"].startswith("default/user/")
    assert ADA not in str(entry)


def test_spans_without_ids_take_nobody_along(kept: Kept) -> None:
    """Broken senders share the id of nothing but zeros; that somebody of them is forgotten concerns no other."""
    database = kept.database
    request = trace_request(0)
    request.resource_spans[0].scope_spans[0].SetInParent()
    for user in (ADA, BOB):
        _span(request, 0, trace=0, tocsin__use_case="triage", user__id=user, tocsin__call__id=f"call of {user}")
    kept.send(request)

    report = forget(database, Request(project="default", user=ADA), by="dpo", now=NOW)

    assert report.is_forgotten
    assert _calls(database) == {f"call of {BOB}"}
    assert database.rows("SELECT count() AS n FROM otel_traces")[0]["n"] == 1


def test_more_ids_than_one_statement_holds_are_forgotten(kept: Kept) -> None:
    """A year of somebody's calls is thousands."""
    database = kept.database
    kept.send(trace_request(4_100, user__id=ADA))
    kept.send(trace_request(10, number=7, user__id=BOB))

    report = forget(database, Request(project="default", user=ADA), by="dpo", now=NOW)

    assert report.is_forgotten
    assert _left(report)["ai_calls"] == (4_100, 0)
    assert database.rows("SELECT count() AS n FROM otel_traces")[0]["n"] == 10


@pytest.mark.parametrize(("user", "call_id"), [(None, None), ("", ""), (ADA, "c")])
def test_nobody_in_particular_is_refused(user: str | None, call_id: str | None) -> None:
    """An empty id would match every call without a user."""
    with pytest.raises(ForgetProblem, match="got both or neither"):
        Request(project="default", user=user, call_id=call_id)


def _ids(body: bytes | None) -> Iterable[str]:
    return [each.call.call_id for each in RecordOutcomesRequest.FromString(body or b"").outcomes]


def test_dead_outcomes_lose_only_theirs() -> None:
    """One request holds the outcomes of many people."""
    body = _outcomes("ada-1", "bob-1").SerializeToString()
    marks = Marks(project="default", user=ADA, calls=frozenset({"ada-1"}))

    bobs = _outcomes("bob-1").SerializeToString()
    assert list(_ids(without("outcomes", body, marks))) == ["bob-1"]
    assert without("outcomes", _outcomes("ada-1").SerializeToString(), marks) is None
    assert without("outcomes", bobs, marks) == bobs


@pytest.mark.server
def test_a_server_forgets_as_the_embedded_engine_does(run: Run, database: Database, server_database: Database) -> None:
    """The same statements on an older ClickHouse."""
    collector, client = run(server_database, store=ServerStore(server_database, database))
    client.export(_batch())
    loaded(collector)

    report = forget(server_database, Request(project="default", user=ADA), by="dpo", now=NOW)

    assert report.is_forgotten
    assert _everywhere(server_database, "Lovelace") == {}

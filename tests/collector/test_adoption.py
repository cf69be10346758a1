"""Calls read out of somebody else's otel_traces, on a real server: every one, once, no span copied, and no writer bothered."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.collector.exporter_tables import VARIANTS, Exported, exported
from tests.collector.sending import count
from tests.databases import Databases

from tocsin_collector.adopt.adoption import Adopter
from tocsin_collector.correct.corrections import settle_duplicates
from tocsin_collector.correct.waiting_outcomes import OutcomeKeeper
from tocsin_collector.errors import AdoptionProblem, StoreUnavailable
from tocsin_collector.store.database import Database

server_only = pytest.mark.server
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
TRIAGE: dict[str, Any] = {
    "tocsin__use_case": "ticket-triage",
    "tocsin__output__label": "billing",
    "tocsin__confidence": 0.9,
    "tocsin__cost__amount": 0.002,
    "tocsin__cost__currency": "USD",
    "tocsin__input__length": 120,
    "tocsin__input__language": "en",
    "tocsin__input__postcode": "01067",
}
CHAT: dict[str, Any] = {
    "gen_ai__operation__name": "chat",
    "gen_ai__provider__name": "openai",
    "gen_ai__request__model": "gpt-4o",
    "gen_ai__usage__input_tokens": 12,
}


@pytest.fixture(scope="module")
def ours(server_databases: Databases) -> Iterator[Database]:
    """One database for all of these tests, each with a project of its own in it: migrating a server takes seconds."""
    with server_databases.one() as lent:
        yield lent


@pytest.fixture
def adopter(ours: Database) -> Adopter:
    """Adopts into our database."""
    return Adopter(ours, now=lambda: datetime.now(UTC))


@pytest.fixture
def project() -> str:
    """This test's own."""
    return f"p{uuid.uuid4().hex[:8]}"


@pytest.fixture
def theirs(ours: Database, adopter: Adopter, request: pytest.FixtureRequest) -> Iterator[Exported]:
    """The exporter's tables, as they are today unless a test asks for others; let go of in the end."""
    with exported(ours, getattr(request, "param", "maps")) as made:
        yield made
        for each in adopter.adoptions():
            if each.source.startswith(made.name) and not each.is_undone:
                adopter.undo(each.source, by="the test's end")


def adopt(adopter: Adopter, name: str, project: str, since: datetime | None = None) -> int:
    """Adopt a table whole; gives how many rows were there."""
    return sum(n for _, n in adopter.adopt(adopter.plan(name, project=project, since=since), by="ann"))


def called(database: Database, project: str) -> tuple[int, int]:
    """How many calls the sums know of, and the table."""
    [row] = database.rows(
        "SELECT (SELECT toInt64(sum(calls)) FROM ai_calls_1h WHERE project = {p:String}) AS sums,"
        " (SELECT toInt64(count()) FROM ai_calls WHERE project = {p:String}) AS calls",
        {"p": project},
    )
    return int(row["sums"]), int(row["calls"])


@server_only
@pytest.mark.parametrize("theirs", VARIANTS, indirect=True)
def test_calls_of_the_exporters_tables_are_calls_whatever_the_columns(
    ours: Database, adopter: Adopter, project: str, theirs: Exported
) -> None:
    """What was there and what is inserted afterwards, with cost, inputs and outcomes; what is no AI call is left alone."""
    past = [
        theirs.span(1, NOW - 2 * DAY, **TRIAGE),
        theirs.span(2, NOW - 2 * DAY, failed=True, **CHAT),
        theirs.span(3, NOW - 2 * DAY, name="GET /", http__request__method="GET"),
    ]
    theirs.insert(theirs.traces, past)
    label = {"tocsin__call__id": f"{1:032x}{1:016x}", "tocsin__outcome__label": "refund"}
    theirs.insert(theirs.logs, [theirs.outcome(1, NOW - DAY, **label)])

    found = adopt(adopter, theirs.traces, project), adopt(adopter, theirs.logs, project)
    theirs.insert(theirs.traces, [theirs.span(4, NOW, **TRIAGE), theirs.span(5, NOW, name="GET /")])
    theirs.insert(theirs.logs, [theirs.outcome(1, NOW, **{**label, "tocsin__outcome__label": "billing"})])
    came = adopter.turn(), adopter.turn()
    OutcomeKeeper(ours).resolve(datetime.now(UTC))

    mine = {"p": project}
    rows = ours.rows("SELECT * FROM ai_calls WHERE project = {p:String} ORDER BY span_id", mine)
    spans = ours.rows("SELECT SpanName FROM adopted_spans WHERE TraceId = {id:String}", {"id": f"{3:032x}"})
    said = ours.rows("SELECT label, correct FROM outcomes FINAL WHERE project = {p:String} ORDER BY observed_at", mine)
    assert (found, came) == ((2, 1), (2, 0))
    assert [row["use_case"] for row in rows] == ["ticket-triage", "shop/gpt-4o", "ticket-triage"]
    assert rows[0]["input_numbers"] == {"length": 120.0}
    assert rows[0]["input_strings"] == {"language": "en", "postcode": "01067"}
    assert (float(rows[0]["cost"]), rows[0]["currency"], rows[0]["confidence"]) == (0.002, "USD", 0.9)
    assert (rows[0]["environment"], rows[0]["service"], rows[0]["duration_ns"]) == ("live", "shop", 1_500_000_000)
    assert (rows[1]["error_type"], rows[1]["input_tokens"], rows[1]["provider"]) == ("error", 12, "openai")
    assert called(ours, project) == (3, 3)
    assert said == [{"label": "refund", "correct": 0}, {"label": "billing", "correct": 1}]
    assert count(ours, "otel_traces") == count(ours, "otel_logs") == 0, "spans and records stay where they are"
    assert spans == [{"SpanName": "GET /"}], "and are found there"


@server_only
def test_adopting_again_finds_what_was_missed_and_nothing_twice(
    ours: Database, adopter: Adopter, project: str, theirs: Exported
) -> None:
    """After a crash one runs it again; with an earlier start one wants only what lies before; undone, it reads no more."""
    theirs.insert(theirs.traces, [theirs.span(day, NOW - day * DAY, **TRIAGE) for day in range(1, 6)])
    since = NOW - 3 * DAY - timedelta(hours=1)

    adopt(adopter, theirs.traces, project, since)
    theirs.insert(theirs.traces, [theirs.span(9, NOW, **TRIAGE)])
    adopter.turn()
    again = adopt(adopter, theirs.traces, project, since)
    first = called(ours, project)
    earlier = adopt(adopter, theirs.traces, project)
    undone = adopter.undo(theirs.traces, by="bea")
    theirs.insert(theirs.traces, [theirs.span(10, NOW, **TRIAGE)])
    adopter.turn()
    meanwhile = called(ours, project)
    back = adopt(adopter, theirs.traces, project)

    assert (first, again) == ((4, 4), 0)
    assert earlier == 2
    assert (undone.is_undone, undone.by, meanwhile) == (True, "bea", (6, 6))
    assert (back, called(ours, project)) == (1, (7, 7))
    known = next(each for each in adopter.adoptions() if each.source == theirs.traces)
    assert (known.rows, known.by, known.is_undone) == (7, "ann", False)


@server_only
def test_a_span_that_came_to_a_collector_too_is_one_call(
    ours: Database, adopter: Adopter, project: str, theirs: Exported
) -> None:
    """The Collector sends to both: before the adoption, after it, and with two spans of one response."""
    response = {**CHAT, "gen_ai__response__id": f"chatcmpl-{project}"}
    pair = [theirs.span(2, NOW - DAY, **response), theirs.span(3, NOW - DAY, **{**response, **TRIAGE})]
    theirs.insert(theirs.traces, [theirs.span(1, NOW - DAY, **TRIAGE), *pair])
    _to_our_collector(ours, theirs, project, numbers=(1, 2, 3))
    settle_duplicates(ours, NOW - DAY)

    found = adopt(adopter, theirs.traces, project)
    theirs.insert(theirs.traces, [theirs.span(7, NOW, **TRIAGE)])
    theirs.insert(theirs.traces, [theirs.span(7, NOW, **TRIAGE)] * 2)  # a retry of the exporter's
    adopter.turn()
    _to_our_collector(ours, theirs, project, numbers=(7,))
    before = called(ours, project)
    settle_duplicates(ours, NOW - DAY)

    assert found == 0
    assert (before, called(ours, project)) == ((4, 4), (3, 3))
    assert adopter.turn() == 0, "what was made one call is not read again"


def _to_our_collector(database: Database, theirs: Exported, project: str, *, numbers: tuple[int, ...]) -> None:
    """Put the same spans into what segments go through."""
    wanted = ", ".join(f"'{number:032x}'" for number in numbers)
    columns = (
        "Timestamp, TraceId, SpanId, ServiceName, SpanName, ResourceAttributes, SpanAttributes, Duration, StatusCode"
    )
    database.command(
        f"INSERT INTO spans_in ({columns}, project, received_at, ingested_at, segment)"
        f" SELECT {columns}, '{project}', now64(9), now64(3), '{project}-{numbers[0]}' FROM {theirs.traces}"
        f" WHERE TraceId IN ({wanted}) LIMIT 1 BY TraceId"
    )
    database.command(f"DELETE FROM otel_traces WHERE project = '{project}'", settings={"lightweight_deletes_sync": 2})


@server_only
@pytest.mark.parametrize(("when", "stored"), [("before", 1), ("after", 2)])
def test_a_batch_that_was_interrupted_is_read_once(
    *,
    ours: Database,
    adopter: Adopter,
    project: str,
    theirs: Exported,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
    stored: int,
) -> None:
    """A kill may come before a batch is stored, or after it, before anybody knows: the next process reads it again."""
    theirs.insert(theirs.traces, [theirs.span(1, NOW - DAY, **TRIAGE)])
    adopt(adopter, theirs.traces, project)
    theirs.insert(theirs.traces, [theirs.span(2, NOW, **TRIAGE)])
    command = Database.command

    def broken(self: Database, sql: str, **how: Any) -> None:
        if when == "after":
            command(self, sql, **how)
        if sql.startswith("INSERT INTO spans_in"):
            raise StoreUnavailable("the network is gone")
        if when == "before":
            command(self, sql, **how)

    monkeypatch.setattr(Database, "command", broken)

    with pytest.raises(StoreUnavailable):
        adopter.turn()
    interrupted = called(ours, project)
    monkeypatch.setattr(Database, "command", command)
    Adopter(ours, now=lambda: datetime.now(UTC)).turn()

    assert (interrupted, called(ours, project)) == ((stored, stored), (2, 2))


@server_only
def test_a_new_process_reads_nothing_again_and_a_table_that_is_gone_stops_no_other(
    ours: Database, adopter: Adopter, project: str, theirs: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token of a batch is forgotten in time: what is known to be stored must not be asked for again."""
    theirs.insert(theirs.traces, [theirs.span(1, NOW - DAY, **TRIAGE)])
    ours.command(f"CREATE TABLE {theirs.name}.a_table AS {theirs.traces}")
    adopt(adopter, f"{theirs.name}.a_table", project)
    adopt(adopter, theirs.traces, project)
    command, asked = Database.command, []
    monkeypatch.setattr(Database, "command", lambda self, sql, **how: asked.append(sql) or command(self, sql, **how))

    again = Adopter(ours, now=lambda: datetime.now(UTC)).turn()
    monkeypatch.undo()
    ours.command(f"DROP TABLE {theirs.name}.a_table SYNC")
    theirs.insert(theirs.traces, [theirs.span(2, NOW, **TRIAGE)])
    with pytest.raises(AdoptionProblem, match="a_table"):
        Adopter(ours, now=lambda: datetime.now(UTC)).turn()
    shown = count(ours, "adopted_spans")

    assert (again, shown) == (0, 2)
    assert [sql for sql in asked if sql.startswith("INSERT INTO spans_in")] == []
    assert called(ours, project) == (2, 2)
    adopter.undo(f"{theirs.name}.a_table", by="ann")


@server_only
def test_hostile_values_are_calls_all_the_same(
    ours: Database, adopter: Adopter, project: str, theirs: Exported
) -> None:
    """A batch that cannot be read would be tried for ever, and nothing behind it be read."""
    adopt(adopter, theirs.traces, project)
    worst = ["", "nan", "NaN", "-1e999", "0x10", "\x00", "{", '{"a":', "9" * 400, "' OR 1=1 --", "\U0001f680"]
    names = (
        "tocsin__input__x", "tocsin__confidence", "tocsin__cost__amount", "tocsin__null_inputs", "tocsin__output__probability__a",
        "tocsin__weight", "tocsin__attempt", "gen_ai__usage__input_tokens", "tocsin__output__value", "tocsin__flags",
    )  # fmt: skip
    rows = [
        theirs.span(number, NOW, tocsin__use_case="t", **dict.fromkeys(names, value))
        for number, value in enumerate(worst, 1)
    ]
    theirs.insert(theirs.traces, rows)

    read = adopter.turn()

    assert read == len(worst)
    assert called(ours, project) == (len(worst), len(worst))


@server_only
def test_what_cannot_be_adopted_is_said_before_anything_is_changed(
    ours: Database, adopter: Adopter, project: str, theirs: Exported
) -> None:
    """One sentence each, with what to name instead."""
    ours.command(f"CREATE VIEW {theirs.name}.shown AS SELECT * FROM {theirs.traces}")
    ours.command(f"CREATE TABLE {theirs.name}.other (Timestamp DateTime64(9)) ENGINE = MergeTree ORDER BY ()")
    adopt(adopter, theirs.traces, project)
    known = len(adopter.adoptions())

    said = [
        _refusal(adopter, name, project=asked)
        for name, asked in [
            (f"{theirs.name}.shown", project), (f"{theirs.name}.other", project), (f"{theirs.name}.gone", project),
            (f"{ours.address.database}.otel_traces", project), ("otel_traces", project), (theirs.traces, "another"),
            (theirs.traces, "it's"),
        ]
    ]  # fmt: skip

    expected = (
        "of the MergeTree family", "missing: TraceId", "GRANT SELECT", "tocsin's own database", "expected database.table",
        f"expected project '{project}'", "expected a project of letters",
    )  # fmt: skip
    assert [part in sentence for part, sentence in zip(expected, said, strict=True)] == [True] * len(said), said
    assert len(adopter.adoptions()) == known


def _refusal(adopter: Adopter, name: str, *, project: str) -> str:
    with pytest.raises(AdoptionProblem) as refused:
        adopter.plan(name, project=project, since=None)
    return str(refused.value)


def test_the_embedded_engine_has_no_tables_of_others(database: Database) -> None:
    """It says where to go instead of what is missing."""
    with pytest.raises(AdoptionProblem, match=r"store\.url"):
        Adopter(database, now=lambda: NOW)

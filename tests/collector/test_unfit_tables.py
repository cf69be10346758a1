"""Tables that somebody changed by hand: nothing is lost, nothing is taken for a bad request, and people are told why it waits."""

from collections.abc import Callable

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import Client, count, eventually, loaded, trace_request

from tocsin_collector.collector import Collector
from tocsin_collector.load.stores import ServerStore
from tocsin_collector.store.database import Database

Collect = Callable[[], tuple[Collector, Client]]


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.server)])
def over(request: pytest.FixtureRequest, database: Database) -> Database:
    """A migrated store of either kind."""
    found: Database = database if request.param == "embedded" else request.getfixturevalue("server_database")
    return found


@pytest.fixture
def collect(run: Run, over: Database, database: Database) -> Collect:
    """Start a collector over it; a server's rows are decoded by the engine that this process has."""
    store = None if over is database else ServerStore(over.sibling(), database)
    return lambda: run(over, store=store, quiet_s=0.05)


THROWING = "CREATE MATERIALIZED VIEW {name} ENGINE = Null AS SELECT throwIf({when}, 'not this one') AS x FROM spans_in"

# Both tables refuse it: were one to take it, what it holds when the other refuses is the engine's choice, and a segment that
# is held in part is set aside whole.
CHOOSING = (
    "ALTER TABLE otel_traces ADD CONSTRAINT choosy CHECK SpanAttributes['tocsin.use_case'] != 'poison'",
    "ALTER TABLE ai_calls ADD CONSTRAINT choosy CHECK use_case != 'poison'",
)


@pytest.mark.parametrize(
    ("broken", "mended", "said"),
    [
        pytest.param(
            "ALTER TABLE otel_traces DROP COLUMN ScopeName",
            "ALTER TABLE otel_traces ADD COLUMN ScopeName String",
            "otel_traces lacks the column ScopeName",
            id="a column, which the engine would leave out without a word",
        ),
        pytest.param("DETACH TABLE plans", "ATTACH TABLE plans", "plans", id="a table that views read"),
        pytest.param(
            "ALTER TABLE ai_calls MODIFY COLUMN release DateTime",
            "ALTER TABLE ai_calls MODIFY COLUMN release LowCardinality(String)",
            "known to be good",
            id="a column of another type",
        ),
        pytest.param(
            THROWING.format(name="mine", when=1), "DROP VIEW mine", "not this one", id="somebody's own view that throws"
        ),
        pytest.param(
            "DETACH VIEW otel_traces_mv",
            "ATTACH TABLE otel_traces_mv",
            "the view otel_traces_mv is gone",
            id="a view that is gone",
        ),
    ],
)
def test_segments_wait_until_the_tables_are_mended(
    collect: Collect, over: Database, broken: str, mended: str, said: str
) -> None:
    """Taken for bad requests, all of them would be halved down to dead letters; loaded all the same, they would lack a part."""
    over.command(broken)
    collector, client = collect()

    for number in range(8):
        client.export(trace_request(2, number=number, tocsin__output__label="a"))
    eventually(lambda: said in collector.stats().unfit)
    assert (collector.stats().stored_spans, collector.stats().dead_lettered_spans) == (0, 0)
    over.command(mended)
    loaded(collector)

    assert count(over, "dead_letters") == 0
    assert count(over, "otel_traces", "ScopeName = 'tests'") == 16
    assert count(over, "ai_calls", "output_label = 'a'") == 16
    assert int(over.rows("SELECT sum(calls) AS n FROM ai_calls_1h")[0]["n"]) == 16
    assert collector.stats().unfit == ""


def test_request_that_a_table_refuses_is_set_aside_alone(run: Run, database: Database) -> None:
    """The tables are well: what is refused is that request, and nothing behind it waits for anybody.

    A server's views have stored rows by then: there the segment is set aside whole, to be retried whole.
    """
    for refusing in CHOOSING:
        database.command(refusing)
    collector, client = run(quiet_s=0.05)

    for number in range(6):
        use_case = "poison" if number in {2, 5} else "fine"
        client.export(trace_request(2, number=number, tocsin__use_case=use_case))
    loaded(collector)

    stats = collector.stats()
    assert (stats.stored_spans, stats.dead_lettered_spans, stats.unfit) == (8, 4, "")
    assert count(database, "otel_traces") == count(database, "ai_calls") == 8
    assert "choosy" in database.rows("SELECT any(reason) AS reason FROM dead_letters")[0]["reason"]
    assert (
        database.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'again%'") == []
    )


def test_poison_among_segments_that_wait_is_found_once_the_tables_are_mended(run: Run, database: Database) -> None:
    """One refusal must not hide the other."""
    for refusing in CHOOSING:
        database.command(refusing)
    database.command(THROWING.format(name="broken", when=1))
    collector, client = run(quiet_s=0.05)

    for number in range(4):
        client.export(trace_request(1, number=number, tocsin__use_case="poison" if number == 1 else "fine"))
    eventually(lambda: collector.stats().unfit)
    database.command("DROP VIEW broken")
    loaded(collector)

    assert (collector.stats().stored_spans, collector.stats().dead_lettered_spans) == (3, 1)

"""Stored calls under another name: whoever finds a wrong use case must be able to put it right."""

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, count, loaded, trace_request

from tocsin_collector.correct.relabel import Relabelled, relabel
from tocsin_collector.store.database import Database
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest


@pytest.fixture
def filled(run: Run, database: Database) -> Database:
    """Calls of two names, and an outcome of the first."""
    collector, client = run()
    call = CallRef(use_case="old", call_id="c1", started_unix_nano=START_NS, label="a")
    client.export(trace_request(5, number=1, tocsin__use_case="old", tocsin__input__ink=0.5, tocsin__cost__amount=0.5))
    client.export(trace_request(2, number=2, tocsin__use_case="new", tocsin__input__ink=0.5))
    client.record(RecordOutcomesRequest(outcomes=[Outcome(call=call, label="b")]))
    loaded(collector)
    return database


def sums(database: Database) -> dict[str, tuple[int, float, int]]:
    """Read calls, cost and inputs by name, as evaluators would."""
    hours = database.rows("SELECT use_case, sum(calls) AS n, sum(cost) AS c FROM ai_calls_1h GROUP BY 1 HAVING n != 0")
    cells = database.rows("SELECT use_case, sum(n) AS n FROM input_histogram_1h WHERE kind = 'number' GROUP BY 1")
    numbers = {row["use_case"]: row["n"] for row in cells}
    return {row["use_case"]: (row["n"], float(row["c"]), numbers[row["use_case"]]) for row in hours}


def test_calls_sums_and_outcomes_move_together(filled: Database) -> None:
    """A name that moved in one table and not in another would make every rate of the use case wrong."""
    moved = relabel(filled, "default", "old", "new")

    assert (moved.calls, moved.hours, moved.outcomes) == (5, 1, 1)
    assert moved.histogram_cells > 0
    assert sums(filled) == {"new": (7, 2.5, 7)}
    assert count(filled, "ai_calls", "use_case = 'new'") == count(filled, "ai_calls") == 7
    assert filled.rows("SELECT use_case, correct FROM outcomes FINAL") == [{"use_case": "new", "correct": 0}]


def test_relabelling_again_moves_nothing(filled: Database) -> None:
    """A command that was interrupted is run again; it must not add anything twice."""
    relabel(filled, "default", "old", "new")

    again = relabel(filled, "default", "old", "new")

    assert again == Relabelled(calls=0, hours=0, histogram_cells=0, outcomes=0)
    assert sums(filled) == {"new": (7, 2.5, 7)}


def test_other_projects_keep_their_names(filled: Database) -> None:
    """Two teams may use one name for different features."""
    relabel(filled, "other", "old", "new")

    assert sums(filled) == {"old": (5, 2.5, 5), "new": (2, 0.0, 2)}


def test_same_name_is_refused(filled: Database) -> None:
    """Moving a name onto itself would delete what it copies."""
    with pytest.raises(ValueError, match="two different names"):
        relabel(filled, "default", "old", "old")

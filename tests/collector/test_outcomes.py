"""Outcomes over gRPC: completed from their handle, refused one by one, stored once."""

from datetime import UTC, datetime

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, loaded

from tocsin_collector.store.database import Database
from tocsin_wire import pack_handle
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest


def call(**facts: object) -> CallRef:
    """Make a call's facts."""
    known = {"use_case": "digits", "call_id": "c1", "started_unix_nano": START_NS, "label": "7", "model_version": "v1"}
    return CallRef(**{**known, **facts})


def test_handle_carries_everything_an_outcome_needs(run: Run, database: Database) -> None:
    """A label comes weeks late, from another process: it must need no look-up, and correctness follows from both labels."""
    collector, client = run()
    handle = pack_handle(
        call(confidence=0.0, weight=2.5, segments={"device": "A7"}, is_probe=True, served_by="fallback")
    )

    answer = client.record(
        RecordOutcomesRequest(
            outcomes=[
                Outcome(handle=handle, label="7", source="labels", observed_unix_nano=START_NS + 1),
                Outcome(call=call(call_id="c2"), label="1"),
                Outcome(call=call(call_id="c3"), kind="review", score=0.0, minutes=0.5, author="ana", comment="no"),
                Outcome(call=call(call_id="c4", value=2.5), value=3.5, correct=False),
            ]
        )
    )
    loaded(collector)

    first, second, third, fourth = database.rows("SELECT * FROM outcomes ORDER BY call_id")
    assert (answer.accepted, answer.rejected) == (4, 0)
    assert (first["use_case"], first["predicted_label"], first["label"], first["correct"]) == ("digits", "7", "7", 1)
    assert first["started_at"] == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert (first["confidence"], first["weight"], first["is_probe"], first["served_by"]) == (0.0, 2.5, 1, "fallback")
    assert first["segments"] == {"device": "A7"}
    assert (second["correct"], second["confidence"], second["weight"], second["served_by"]) == (0, None, 1.0, "model")
    assert (third["kind"], third["score"], third["minutes"], third["correct"]) == ("review", 0.0, 0.5, None)
    assert (fourth["predicted_value"], fourth["value"], fourth["correct"]) == (2.5, 3.5, 0)


def test_bad_outcomes_are_named_and_the_others_kept(run: Run, database: Database) -> None:
    """A batch of labels with one typo must not be lost, nor the typo be silent."""
    collector, client = run()
    request = RecordOutcomesRequest(
        outcomes=[
            Outcome(handle="t1.nonsense", label="7"),
            Outcome(call=call(), label="7"),
            Outcome(call=call(), kind="rumour", label="7"),
            Outcome(call=call()),
            Outcome(call=call(), score=1.5),
            Outcome(call=call(started_unix_nano=0), label="7"),
        ]
    )

    answer = client.record(request)
    loaded(collector)

    assert (answer.accepted, answer.rejected) == (1, 5)
    assert [error.split(":")[0] for error in answer.errors] == [f"outcomes[{n}]" for n in (0, 2, 3, 4, 5)]
    assert "rumour" in answer.errors[1]
    assert [row["call_id"] for row in database.rows("SELECT call_id FROM outcomes")] == ["c1"]
    assert (collector.stats().received_outcomes, collector.stats().refused_outcomes) == (6, 5)


def test_same_outcome_twice_is_one(run: Run, database: Database) -> None:
    """Label jobs are re-run: the same thing said again, by the same source, must not count twice."""
    collector, client = run()

    for author in ("ana", "ben"):
        outcome = Outcome(call=call(), label="7", source="labels", observed_unix_nano=START_NS, author=author)
        client.record(RecordOutcomesRequest(outcomes=[outcome]))
        client.record(RecordOutcomesRequest(outcomes=[outcome]))
    loaded(collector)

    assert len(database.rows("SELECT * FROM outcomes FINAL")) == 1
    assert collector.stats().duplicate_outcomes == 2


def test_process_may_record_without_the_wire(run: Run, database: Database) -> None:
    """The console's own form takes the same road as everyone's outcomes."""
    collector, _ = run()

    answer = collector.record(RecordOutcomesRequest(outcomes=[Outcome(call=call(), score=1.0)]))
    loaded(collector)

    assert answer.accepted == 1
    assert database.rows("SELECT score FROM outcomes") == [{"score": pytest.approx(1.0)}]

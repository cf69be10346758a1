"""Outcomes over gRPC: completed from their handle, refused one by one, stored once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, loaded, trace_request

from tocsin_collector.correct.waiting_outcomes import OutcomeKeeper, resolve_outcomes
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
            Outcome(call=call(call_id=""), label="7"),
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


def joined(database: Database) -> list[dict[str, Any]]:
    """Read whose the outcomes turned out to be."""
    return database.rows(
        "SELECT call_id, label, correct, use_case, predicted_label FROM outcomes FINAL ORDER BY call_id, label"
    )


def waiting(database: Database) -> int:
    """Count outcomes whose call is not known."""
    return int(database.rows("SELECT count() AS n FROM outcomes_waiting FINAL WHERE NOT is_resolved")[0]["n"])


@pytest.mark.parametrize(
    "named",
    [
        {"key": "order-1"},
        {"key": "order-1", "use_case": "ticket-triage"},
        {"response_id": "chatcmpl-1"},
        {"call_id": f"{1:032x}{1:016x}"},
        {"call_id": "c1", "use_case": "ticket-triage"},
    ],
)
def test_an_outcome_by_reference_waits_for_its_call_and_joins_it(
    run: Run, database: Database, named: dict[str, str]
) -> None:
    """Days later, in another service, the order's number is all that anybody knows; and the call may still be on its way."""
    collector, client = run()
    answer = client.record(RecordOutcomesRequest(outcomes=[Outcome(call=CallRef(**named), label="billing")]))
    loaded(collector)
    before = (resolve_outcomes(database), waiting(database))
    facts = {"tocsin__call__key": "order-1", "gen_ai__response__id": "chatcmpl-1", "tocsin__output__label": "billing"}
    if named.get("call_id") == "c1":
        facts["tocsin__call__id"] = "c1"
    client.export(trace_request(**facts))
    loaded(collector)

    after = (resolve_outcomes(database), waiting(database), resolve_outcomes(database))

    assert (answer.accepted, before, after) == (1, (0, 1), (1, 0, 0))
    [row] = joined(database)
    assert (row["use_case"], row["label"], row["predicted_label"], row["correct"]) == (
        "ticket-triage",
        "billing",
        "billing",
        1,
    )


def test_of_several_calls_of_a_key_the_last_before_the_outcome_is_meant(run: Run, database: Database) -> None:
    """An order is asked about twice; what was said between the two is of the first."""
    collector, client = run()
    for number in (1, 2):
        client.export(trace_request(number=number, tocsin__call__key="order-1", tocsin__call__id=f"c{number}"))
    client.export(trace_request(number=9, tocsin__call__key="order-1", tocsin__call__id="c9", tocsin__use_case="other"))
    first, second = (START_NS + (number * 1_000_000 + 1) * 1000 for number in (1, 2))
    call = CallRef(use_case="ticket-triage", key="order-1")
    said = {"between": (first + second) // 2, "after": second + 1, "before": first - 1_000_000}
    outcomes = [Outcome(call=call, label=label, observed_unix_nano=at) for label, at in said.items()]
    client.record(RecordOutcomesRequest(outcomes=[*outcomes, Outcome(call=call, label="never said when")]))
    loaded(collector)

    resolve_outcomes(database)

    assert {row["label"]: row["call_id"] for row in joined(database)} == {
        "between": "c1",
        "after": "c2",
        "before": "c1",
        "never said when": "c2",
    }


def test_only_what_arrived_since_is_looked_at(run: Run, database: Database) -> None:
    """A million labels of unknown calls must not be gone through every half minute."""
    collector, client = run()
    keeper, now = OutcomeKeeper(database), datetime.now(UTC) + timedelta(minutes=5)
    client.record(RecordOutcomesRequest(outcomes=[Outcome(call=CallRef(key="order-1"), label="billing")]))
    loaded(collector)
    keeper.resolve(now)
    client.export(trace_request(tocsin__call__key="order-1"))
    loaded(collector)

    keeper.resolve(now + timedelta(minutes=10))  # by this clock the call came long before the last look
    missed = waiting(database)
    keeper.resolve(now + timedelta(hours=2))

    assert (missed, waiting(database)) == (1, 0)


def test_the_same_label_by_key_twice_is_one_outcome(run: Run, database: Database) -> None:
    """Also when the call was found in between."""
    collector, client = run()
    said = RecordOutcomesRequest(
        outcomes=[Outcome(call=CallRef(key="order-1"), label="billing", observed_unix_nano=START_NS, author="ana")]
    )
    client.record(said)
    client.export(trace_request(tocsin__call__key="order-1"))
    loaded(collector)
    resolve_outcomes(database)
    said.outcomes[0].author = "ben"
    client.record(said)
    loaded(collector)

    resolve_outcomes(database)

    assert len(joined(database)) == 1

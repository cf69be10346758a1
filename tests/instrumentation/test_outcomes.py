"""`record_outcome`: what turned out to be true, delivered however late."""

import threading
from datetime import UTC, datetime
from typing import Any

import grpc
import numpy as np
import pytest

import tocsin
from tocsin._outcomes import queue
from tocsin.testing import capture
from tocsin_wire.v1.outcomes_pb2 import Outcome


def test_an_outcome_arrives_with_what_was_said(collector: Any) -> None:
    """Truth, source, time and effort, under the handle of the call."""
    tocsin.init(endpoint=collector.endpoint)

    queued = tocsin.record_outcome(
        "t1.handle",
        label=np.int64(3),
        score=0.5,
        correct=False,
        kind="review",
        source="reviewers",
        minutes=1.5,
        observed_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        outcome_id="r-1",
        author="ada",
        comment="smudged",
    )

    assert queued is True
    assert tocsin.flush() is True
    outcome = collector.outcomes[0]
    assert (outcome.handle, outcome.label, outcome.score, outcome.correct) == ("t1.handle", "3", 0.5, False)
    assert (outcome.kind, outcome.source, outcome.outcome_id) == ("review", "reviewers", "r-1")
    assert (outcome.minutes, outcome.author, outcome.comment) == (1.5, "ada", "smudged")
    assert outcome.observed_unix_nano == 1_772_452_800_000_000_000


def test_an_outcome_recorded_before_init_is_sent_where_init_says(collector: Any) -> None:
    """Nothing the host was told is queued may be lost for the order of two lines."""
    tocsin.record_outcome("t1.early", label="x")

    tocsin.init(endpoint=collector.endpoint)

    assert tocsin.flush(20) is True
    assert [outcome.handle for outcome in collector.outcomes] == ["t1.early"]


def test_what_was_not_said_stays_unsaid(collector: Any) -> None:
    """An unknown score is not zero, and an unknown verdict is not wrong."""
    tocsin.init(endpoint=collector.endpoint)

    tocsin.record_outcome("t1.handle", value=2.5)

    assert tocsin.flush() is True
    outcome = collector.outcomes[0]
    assert outcome.value == 2.5
    assert not any(outcome.HasField(field) for field in ("score", "correct", "minutes"))


@pytest.mark.parametrize("said", [{}, {"value": float("nan")}, {"score": None}])
def test_an_outcome_that_says_nothing_is_refused_at_once(said: dict[str, Any]) -> None:
    """The caller finds its bug at the call, not in a dead-letter table."""
    assert tocsin.record_outcome("t1.handle", **said) is False
    assert tocsin.record_outcome("", label="x") is False


def test_a_thousand_outcomes_leave_in_few_requests(collector: Any) -> None:
    """Labels arrive by the file; a request each would take minutes."""
    tocsin.init(endpoint=collector.endpoint)

    for at in range(1_000):
        tocsin.record_outcome(f"t1.{at}", label="x")

    assert tocsin.flush() is True
    assert [outcome.handle for outcome in collector.outcomes] == [f"t1.{at}" for at in range(1_000)]
    assert tocsin.stats()["outcomes_sent"] == 1_000


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_passing_refusal_is_tried_again(collector: Any, code: grpc.StatusCode) -> None:
    """A restart of the collector must not cost a label."""
    tocsin.init(endpoint=collector.endpoint)
    collector.refuse_outcomes = [code, code]

    tocsin.record_outcome("t1.handle", label="x")

    assert tocsin.flush() is True
    assert len(collector.outcomes) == 1


def test_refusals_are_counted(collector: Any) -> None:
    """What the collector will never take must show somewhere."""
    tocsin.init(endpoint=collector.endpoint)
    collector.refuse_outcomes = [grpc.StatusCode.INVALID_ARGUMENT]
    tocsin.record_outcome("t1.one", label="x")
    first = tocsin.flush()
    collector.reject = 1

    tocsin.record_outcome("t1.two", label="x")

    assert (first, tocsin.flush()) == (False, False)
    assert tocsin.stats()["outcomes_rejected"] == 2


def test_recording_never_waits_for_the_collector(collector: Any) -> None:
    """A stalled collector must not stall the thumbs-up button."""
    tocsin.init(endpoint=collector.endpoint)
    collector.gate.clear()

    done = threading.Event()

    def record() -> None:
        tocsin.record_outcome("t1.handle", label="x")
        done.set()

    threading.Thread(target=record).start()

    assert done.wait(20)
    assert tocsin.flush(timeout_s=0.05) is False
    collector.gate.set()
    assert tocsin.flush() is True


def test_a_full_queue_refuses_and_counts() -> None:
    """Bounded memory, and a caller who is told."""
    from tocsin._process.settings import Address

    outcomes = queue.OutcomeQueue(Address(target="127.0.0.1:1", secure=False))
    outcomes._thread = threading.current_thread()  # nobody takes anything out

    taken = [outcomes.put(Outcome(handle=str(at))) for at in range(queue.LIMIT + 3)]

    assert taken.count(False) == 3
    assert outcomes.tally.dropped == 3


def test_a_captured_calls_handle_reaches_the_collector_whole(collector: Any) -> None:
    """From call to outcome, the handle is passed as it is."""
    with capture(), tocsin.observe("triage") as call:
        call.set_output(label="billing")
        handle = call.handle
    tocsin.init(endpoint=collector.endpoint)

    tocsin.record_outcome(handle, label="hardware")

    assert tocsin.flush() is True
    assert collector.outcomes[0].handle == handle

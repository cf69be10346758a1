"""`record_outcome`: what turned out to be true, delivered however late."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import grpc
import numpy as np
import pytest

import tocsin
from tocsin._outcomes import queue
from tocsin._process.runtime import runtime
from tocsin.testing import capture
from tocsin_wire import unpack_handle
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
    outcomes.lane._worker = threading.current_thread()  # nobody takes anything out

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


@pytest.mark.parametrize(
    "named", [{"key": "order-1", "use_case": "triage"}, {"response_id": "chatcmpl-1"}, {"call_id": "c1"}]
)
def test_a_call_may_be_named_by_what_the_host_knows_of_it(collector: Any, named: dict[str, str]) -> None:
    """Who has the label seldom has the handle."""
    tocsin.init(endpoint=collector.endpoint)

    assert tocsin.record_outcome(**named, label="billing") is True

    assert tocsin.flush() is True
    [outcome] = collector.outcomes
    assert {field.name: value for field, value in outcome.call.ListFields()} == named


def test_a_calls_own_key_is_on_its_span() -> None:
    """That is how the collector finds it again."""
    with capture() as calls:
        with tocsin.observe("triage", key="order-1"):
            pass
        with tocsin.observe("triage") as call:
            call.set_key(4711)

    assert [call.attributes["tocsin.call.key"] for call in calls] == ["order-1", "4711"]


def test_labels_by_the_iterable_wait_for_room(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job has more labels than the queue has places; none may be dropped while the collector takes them."""
    monkeypatch.setattr(queue, "LIMIT", 100)
    tocsin.init(endpoint=collector.endpoint)

    queued = tocsin.record_outcomes({"key": f"order-{at}", "label": "x"} for at in range(1_000))

    assert (queued, tocsin.flush()) == (1_000, True)
    assert len(collector.outcomes) == 1_000
    assert tocsin.stats()["outcomes_dropped"] == 0


def test_a_row_that_says_nothing_costs_only_itself(collector: Any) -> None:
    """A label file has a bad line."""
    tocsin.init(endpoint=collector.endpoint)
    rows = [{"key": "a", "label": "x"}, {"key": "b"}, {"colour": "red"}, {"key": "c", "score": 0.5}]

    assert tocsin.record_outcomes(rows) == 2


@pytest.mark.parametrize(("thumb", "score"), [("up", 1.0), ("Down", 0.0), (True, 1.0), (False, 0.0), (0.25, 0.25)])
def test_a_thumb_is_feedback_with_a_score(thumb: Any, score: float) -> None:
    """Whatever the widget sends."""
    with capture() as calls:
        assert tocsin.record_feedback("t1.handle", thumb, comment="thanks") is True

    [outcome] = calls.outcomes
    assert (outcome.kind, outcome.source, outcome.score, outcome.comment) == ("feedback", "thumbs", score, "thanks")


def test_a_thumb_that_is_none_is_refused() -> None:
    """The caller finds its bug at the call."""
    with capture() as calls:
        assert tocsin.record_feedback("t1.handle", "sideways") is False
        assert tocsin.record_feedback("t1.handle", 5) is False

    assert calls.outcomes == []


def test_a_support_ticket_reported_twice_is_one_contact() -> None:
    """Webhooks come twice, and agents correct their minutes."""
    with capture() as calls:
        for minutes in (5, 12):
            assert tocsin.record_support_contact(key="order-1", minutes=minutes, ticket="ZD-7") is True
        tocsin.record_support_contact(key="order-1", minutes=3)

    first, second, other = calls.outcomes
    assert (first.kind, first.outcome_id) == ("support", second.outcome_id)
    assert (second.minutes, other.outcome_id) == (12, "")


def test_async_code_may_record_since_it_only_queues() -> None:
    """No event loop is held up, and none is needed."""

    async def handler() -> bool:
        return tocsin.record_outcome(key="order-1", label="billing")

    with capture() as calls:
        assert asyncio.run(handler()) is True

    assert len(calls.outcomes) == 1


def test_many_are_recorded_from_a_loop_that_goes_on(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a full queue makes the job wait, the loop serves others: the collector answers only once it has been seen to."""
    monkeypatch.setattr(queue, "LIMIT", 100)
    tocsin.init(endpoint=collector.endpoint)
    collector.gate.clear()

    async def labels() -> AsyncIterator[dict[str, Any]]:
        for at in range(1_000):
            yield {"key": f"order-{at}", "label": "x"}

    async def serve() -> int:
        job = asyncio.create_task(tocsin.record_outcomes_async(labels()))
        while not runtime().has_outcomes or not runtime().outcomes.is_full():  # noqa: ASYNC110 - a thread's state
            await asyncio.sleep(0.001)
        collector.gate.set()
        return await job

    assert asyncio.run(serve()) == 1_000
    assert tocsin.flush()
    assert len(collector.outcomes) == 1_000


def test_many_of_an_ordinary_iterable_are_recorded_from_a_loop_too() -> None:
    """With a bad row among them."""
    rows = [{"key": "a", "label": "x"}, {"colour": "red"}, {"key": "c", "score": 0.5}]

    with capture() as calls:
        assert asyncio.run(tocsin.record_outcomes_async(rows)) == 2

    assert [outcome.call.key for outcome in calls.outcomes] == ["a", "c"]


def test_another_process_says_days_later_what_was_right(collector: Any) -> None:
    """All it has is the handle, out of a column."""
    tocsin.init(endpoint=collector.endpoint)
    with tocsin.observe("triage", segments=("plan",)) as call:
        call.set_input(plan="gold")
        call.set_output(label="billing")
    assert tocsin.flush()
    later = f"""
import tocsin
from datetime import UTC, datetime, timedelta
tocsin.init(endpoint={collector.endpoint!r})
tocsin.record_outcome({call.handle!r}, label="hardware", observed_at=datetime.now(UTC) + timedelta(days=9))
assert tocsin.flush()
"""

    subprocess.run([sys.executable, "-c", later], check=True, timeout=60)

    [outcome] = collector.outcomes
    known = unpack_handle(outcome.handle)
    assert (known.call_id, known.label, outcome.label) == (call.call_id, "billing", "hardware")
    assert (known.started_unix_nano, dict(known.segments)) == (
        collector.spans[0].start_time_unix_nano,
        {"plan": "gold"},
    )
    assert outcome.observed_unix_nano - known.started_unix_nano > 8 * 86_400 * 10**9

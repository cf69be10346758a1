"""The guard client, against a real stream."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

import tocsin
from tocsin._guards import guard
from tocsin._guards.flag_stream import FlagStream
from tocsin.testing import capture

DAY = datetime(2026, 3, 2, tzinfo=UTC)
Eventually = Callable[[Callable[[], bool]], bool]


def test_a_pushed_state_is_read_from_memory(guard_server: Any) -> None:
    """The service asks on every request; the answer must not wait for the network."""
    tocsin.init(guard_endpoint=guard_server.endpoint)
    guard = tocsin.guard("digit-reader")
    before = guard.state

    guard_server.say(digit_reader=("verify", {"version": 2, "cause": "estimated-accuracy-drop"}))

    assert before == "normal"
    assert guard.wait_for_state("verify", 20) is True
    assert (guard.metadata["version"], guard.metadata["cause"]) == (2, "estimated-accuracy-drop")
    assert tocsin.guard("another").state == "normal"


def test_a_replaying_service_is_woken_when_its_day_is_evaluated(guard_server: Any) -> None:
    """It starts the next day within milliseconds of the push, not at the next poll."""
    tocsin.init(guard_endpoint=guard_server.endpoint)
    guard = tocsin.guard("digit-reader")
    guard_server.say(evaluated_through="2026-03-01T00:00:00Z")
    waited: list[bool] = []
    waiter = threading.Thread(target=lambda: waited.append(guard.wait_evaluated_through(DAY, 20)))
    waiter.start()

    guard_server.say(evaluated_through="2026-03-02T00:00:00+00:00")
    waiter.join(20)

    assert waited == [True]
    assert guard.metadata["evaluated_through"] == "2026-03-02T00:00:00+00:00"
    assert guard.wait_evaluated_through(datetime(2026, 3, 2), 0) is True  # noqa: DTZ001 - read as UTC
    assert guard.wait_evaluated_through(datetime(2026, 3, 3, tzinfo=UTC), 0.01) is False


def test_a_guard_asked_for_before_init_hears_the_server_that_init_names(guard_server: Any) -> None:
    """Modules ask for their guard while they are imported, before main has configured anything."""
    guard = tocsin.guard("digit-reader")
    guard_server.say(digit_reader="verify")

    tocsin.init(guard_endpoint=guard_server.endpoint)

    assert guard.wait_for_state("verify", 20) is True
    assert tocsin.guard("digit-reader") is guard


def test_an_unreachable_server_leaves_the_guard_normal() -> None:
    """Monitoring that is down must not take the feature down."""
    tocsin.init(guard_endpoint="127.0.0.1:1")
    guard = tocsin.guard("digit-reader")

    started = time.perf_counter()
    route = guard.route()

    assert (guard.state, route.ask_model, route.serve_model) == ("normal", True, True)
    assert time.perf_counter() - started < 1
    assert guard.wait_evaluated_through(DAY, 0.01) is False


def test_a_broken_stream_keeps_the_last_state_and_comes_back(guard_server: Any, eventually: Eventually) -> None:
    """A restart of tocsin must not release a guard, nor freeze it."""
    tocsin.init(guard_endpoint=guard_server.endpoint)
    guard = tocsin.guard("digit-reader")
    guard_server.say(digit_reader="fallback")
    assert guard.wait_for_state("fallback", 20)

    guard_server.hang_up()
    during = guard.state
    assert eventually(lambda: len(guard_server.streams) == 1)
    guard_server.say(digit_reader="normal")

    assert during == "fallback"
    assert guard.wait_for_state("normal", 20) is True


def test_damaged_pushes_are_survived(guard_server: Any) -> None:
    """One bad message must not end the stream for good."""
    tocsin.init(guard_endpoint=guard_server.endpoint)
    guard = tocsin.guard("digit-reader")

    guard_server.publish("{not json")
    guard_server.say(digit_reader="off")

    assert guard.wait_for_state("off", 20) is True


@pytest.mark.parametrize(
    ("state", "share", "expected"),
    [
        ("normal", 1.0, (True, True, False)),
        ("verify", 1.0, (True, True, False)),
        ("fallback", 0.0, (False, False, False)),
        ("fallback", 1.0, (True, False, True)),
        ("off", 1.0, (False, False, False)),
    ],
)
def test_a_route_follows_the_state(guard_server: Any, state: str, share: float, expected: tuple[bool, ...]) -> None:
    """Ask, serve, probe: a probe asks the model and never serves it."""
    tocsin.init(guard_endpoint=guard_server.endpoint)
    guard_server.say(digit_reader=(state, {"probe_share": share}))
    guard = tocsin.guard("digit-reader")
    assert guard.wait_for_state(state, 20)

    route = guard.route()

    assert (route.ask_model, route.serve_model, route.is_probe) == expected


def test_probes_are_the_share_that_was_asked_for_and_sticky_by_key(guard_server: Any) -> None:
    """A user must not see the feature flicker, and the share must be what the plan says."""
    tocsin.init(guard_endpoint=guard_server.endpoint)
    guard_server.say(digit_reader=("fallback", {"probe_share": 0.25}))
    guard = tocsin.guard("digit-reader")
    assert guard.wait_for_state("fallback", 20)

    first = [guard.route(f"user-{at}").is_probe for at in range(4_000)]
    again = [guard.route(f"user-{at}").is_probe for at in range(4_000)]

    assert first == again
    assert 0.22 < sum(first) / 4_000 < 0.28


def test_calls_inside_a_route_say_how_they_were_served() -> None:
    """A fallback answer must never count as the model's, and a probe must."""
    probe = guard.Route("reader", "fallback", ask_model=True, serve_model=False, is_probe=True)
    served = guard.Route("reader", "verify", ask_model=True, serve_model=True, is_probe=False)

    with capture() as calls:
        with probe, tocsin.observe("reader"):
            pass
        with served, tocsin.observe("reader"):
            pass
        with probe, tocsin.observe("other"):
            pass

    assert [(call.guard_state, call.served_by, call.is_probe) for call in calls] == [
        ("fallback", "fallback", True),
        ("verify", "model", False),
        (None, "model", False),
    ]
    assert calls[0].attributes["feature_flag.key"] == "tocsin.guard.reader"
    assert calls[0].attributes["feature_flag.result.variant"] == "fallback"


def test_instrumented_estimators_carry_the_guard_of_their_use_case(guard_server: Any) -> None:
    """Auto-instrumented calls during an incident must show that it was one."""
    inputs = np.array([[0.0], [1.0]])
    model = GaussianNB().fit(inputs, [0, 1])
    with capture() as calls:
        now = tocsin._process.runtime.runtime()
        now.flags = FlagStream(tocsin._process.settings.address(guard_server.endpoint))
        now.flags.start()
        guard_server.say(reader="verify")
        tocsin.instrument_sklearn("reader")
        model.predict(inputs[:1])
        assert tocsin.guard("reader").wait_for_state("verify", 20)
        model.predict(inputs[:1])
        with tocsin.guard("reader").route():
            model.predict(inputs[:1])
        now.flags.stop()

    assert [call.guard_state for call in calls] == [None, "verify", "verify"]
    assert calls[2].attributes["tocsin.served_by"] == "model"

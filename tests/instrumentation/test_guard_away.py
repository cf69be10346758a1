"""The guard's server away, and what a call says of its guard."""

from collections.abc import Iterator
from typing import Any

import pytest

import tocsin
from tocsin._guards.flag_stream import FlagStream
from tocsin._guards.flags import Flags, FlagState, Terms
from tocsin._process.settings import Address
from tocsin.testing import capture, guard_state

NOWHERE = Address(target="127.0.0.1:1", secure=False)


class Clock:
    """Seconds that pass when they are told to."""

    now_s = 100.0

    def __call__(self) -> float:
        """Read it."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """The stream's time."""
    return Clock()


@pytest.fixture
def stream(clock: Clock) -> Iterator[FlagStream]:
    """One that listens where nobody speaks."""
    made = FlagStream(NOWHERE, clock=clock)
    made.start()
    yield made
    made.stop()


def hear_and_lose(stream: FlagStream, state: str, fail_mode: str) -> None:
    """Hear a state of a plan with a fail mode, then lose the server."""
    stream.hear(Flags(states={"triage": FlagState(state=state, terms=Terms(fail_mode=fail_mode), reason="static")}))
    stream._lose()


def test_who_never_heard_the_server_is_normal_or_at_the_hosts_fail_mode_at_once(stream: FlagStream) -> None:
    """A service must be able to say that it does not begin unguarded."""
    assert stream.state("triage").state == "normal"
    assert stream.state("triage", "verify").state == "verify"
    assert stream.state("triage").reason == "default"


def test_the_last_known_state_holds_and_after_half_a_minute_the_plans_fail_mode(
    stream: FlagStream, clock: Clock
) -> None:
    """A restart of tocsin flips nothing; an outage makes services as careful as their plan wants."""
    hear_and_lose(stream, "normal", "verify")
    at_once = stream.state("triage")
    clock.now_s += 29
    before = stream.state("triage")
    clock.now_s += 2
    after = stream.state("triage")

    assert (at_once.state, before.state, after.state) == ("normal", "normal", "verify")
    assert {at_once.reason, before.reason, after.reason} == {"stale"}


def test_a_fail_mode_never_makes_less_careful(stream: FlagStream, clock: Clock) -> None:
    """An outage must not release a guard."""
    hear_and_lose(stream, "off", "verify")
    clock.now_s += 60

    assert stream.state("triage").state == "off"
    assert stream.state("triage", "fallback").state == "off"


def test_what_the_host_says_counts_before_the_plan(stream: FlagStream, clock: Clock) -> None:
    """Whoever runs the service knows what it can bear."""
    hear_and_lose(stream, "normal", "off")
    clock.now_s += 60

    assert stream.state("triage", "verify").state == "verify"


def test_a_process_can_be_told_its_fail_mode_for_all_use_cases() -> None:
    """One argument, or one variable, for a whole fleet."""
    tocsin.init(guard_endpoint="127.0.0.1:1", guard_fail_mode="fallback")
    try:
        answered = tocsin.observe("triage", fallback=lambda: "hand")(lambda: "model")()

        assert (tocsin.guard("triage").state, answered) == ("fallback", "hand")
        assert tocsin.guard("other", fail_mode="off").state == "off"
    finally:
        tocsin.shutdown(1.0)


@pytest.mark.parametrize(
    ("mode", "has_fallback", "decided"),
    [("shadow", True, "answer"), ("automatic", True, "fallback"), ("automatic", False, "verify")],
)
def test_a_low_confidence_counts_only_where_the_plan_is_automatic(mode: str, has_fallback: bool, decided: str) -> None:
    """Shadow until the plan says so; and without a fallback, verify is the most that can be done."""
    bars = '[{"model_version": "7", "bar": 0.9, "low_bar": 0.6}]'
    with capture() as calls, guard_state("triage", "normal", mode=mode, floor=0.9, bars=bars), tocsin.observe("triage"):
        said = tocsin.guard("triage", has_fallback=has_fallback).decide(0.2, model_version="7")

    assert said == decided
    assert calls[0].attributes["tocsin.guard.decision"] == decided
    assert calls[0].attributes.get("tocsin.guard.shadow_decision") == (None if mode == "automatic" else "fallback")


@pytest.mark.parametrize("state", ["normal", "verify", "fallback", "off"])
def test_a_call_carries_its_flag_as_opentelemetry_names_it(state: str) -> None:
    """Any backend can tell what a flag did to a service: key, variant, reason, provider, version and set."""
    with capture() as calls, guard_state("triage", state, version=3, project="shop"), tocsin.observe("triage"):
        pass

    said: dict[str, Any] = {key: value for key, value in calls[0].attributes.items() if key.startswith("feature_flag.")}
    assert said == {
        "feature_flag.key": "tocsin.guard.triage",
        "feature_flag.result.variant": state,
        "feature_flag.result.reason": "static",
        "feature_flag.provider.name": "tocsin",
        "feature_flag.version": "3",
        "feature_flag.set.id": "shop",
    }

"""Who answers a call: the model, its fallback, or nobody; and what the calls say of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import tocsin
from tocsin._guards.deciding import decide
from tocsin._guards.flag_cache import FlagCache
from tocsin._guards.flags import Bar, FlagState, Terms, read_flags
from tocsin._process.runtime import runtime
from tocsin.testing import capture


def hear(state: str, **metadata: Any) -> None:
    """Have the guard of `triage` be told."""
    tocsin.guard("triage")
    flags = runtime().flags
    assert flags is not None
    flags.hear(read_flags(said(state, **metadata)))


def said(state: str, **metadata: Any) -> str:
    """Write a flag configuration."""
    flag = {"state": "ENABLED", "variants": {state: state}, "defaultVariant": state, "metadata": metadata}
    return json.dumps({"flags": {"tocsin.guard.triage": flag}})


def by_hand(text: str) -> str:
    """Answer without a model."""
    return f"hand:{text}"


@tocsin.observe("triage", task="classification", fallback=by_hand)
def triage(text: str) -> str:
    """Answer with a model that is half sure."""
    tocsin.current_call().set_output(label="billing")
    tocsin.current_call().confidence = 0.5
    return f"model:{text}"


def served(calls: Any) -> list[tuple[str, bool]]:
    """List who served each call, and whether it was a probe."""
    return [(one.attributes["tocsin.served_by"], bool(one.attributes.get("tocsin.probe"))) for one in calls]


@pytest.mark.parametrize(("state", "answer"), [("normal", "model:x"), ("verify", "model:x"), ("fallback", "hand:x")])
def test_the_state_says_who_answers(state: str, answer: str) -> None:
    """The off switch that quality throws: nothing in the service changes."""
    with capture() as calls:
        hear(state, probe_share=0.0)

        assert triage("x") == answer

    [call] = calls
    assert call.attributes["tocsin.served_by"] == ("fallback" if state == "fallback" else "model")
    assert call.attributes["tocsin.guard.state"] == state
    assert call.attributes["feature_flag.key"] == "tocsin.guard.triage"


def test_verify_is_told_to_who_shows_the_answer() -> None:
    """The user interface writes "verify this" beside it."""
    with capture():
        hear("verify")
        triage("x")

        assert tocsin.guard("triage").last_decision == "verify"


def test_a_probe_measures_the_model_and_is_not_served() -> None:
    """A feature that is off can only be released if somebody still looks at its answers."""
    with capture() as calls:
        hear("fallback", probe_share=1.0)

        assert triage("x") == "hand:x"
        assert tocsin.guard("triage").wait_for_probes(20)

    assert sorted(served(calls)) == [("fallback", False), ("fallback", True)]
    assert [one.attributes["tocsin.output.label"] for one in calls if one.attributes["tocsin.probe"]] == ["billing"]


def test_a_probe_that_fails_is_nobodys_error() -> None:
    """The model that tripped the guard is the likeliest of all to raise."""

    @tocsin.observe("triage", fallback=by_hand)
    def broken(_text: str) -> str:
        raise SystemExit("the model is gone")

    with capture():
        hear("fallback", probe_share=1.0)

        assert broken("x") == "hand:x"
        assert tocsin.guard("triage").wait_for_probes(20)


@pytest.mark.parametrize("off", ["raise", "none"])
def test_off_gives_what_was_asked_for(off: Any) -> None:
    """Some callers want an error, some nothing."""
    guarded = tocsin.observe("triage", fallback=by_hand, off=off)(lambda text: f"model:{text}")

    with capture():
        hear("off", cause="estimated-accuracy-drop")
        if off == "none":
            assert guarded("x") is None
        else:
            with pytest.raises(tocsin.FeatureOff, match="triage is switched off by its guard: estimated-accuracy-drop"):
                guarded("x")


def test_an_answer_below_the_bar_is_replaced_where_the_plan_is_automatic() -> None:
    """Confidence counts for the single call, while the feature as a whole is well."""
    bars = json.dumps([{"model_version": "", "bar": 0.9, "low_bar": 0.6}])
    with capture() as calls:
        hear("normal", mode="shadow", floor=0.9, bars=bars)
        in_shadow = triage("x")
        hear("normal", mode="automatic", floor=0.9, bars=bars)
        automatic = triage("x")

    assert (in_shadow, automatic) == ("model:x", "hand:x")
    first, second, third = calls
    assert first.attributes["tocsin.guard.shadow_decision"] == "fallback"
    assert (second.attributes["tocsin.guard.decision"], third.attributes["tocsin.served_by"]) == (
        "fallback",
        "fallback",
    )


def test_a_coroutine_falls_back_to_either_kind() -> None:
    """The fallback is often a plain look-up."""

    async def model(text: str) -> str:
        return f"model:{text}"

    async def other(text: str) -> str:
        return f"other:{text}"

    with capture():
        hear("fallback", probe_share=1.0)
        plain = asyncio.run(tocsin.observe("triage", fallback=by_hand)(model)("x"))
        awaited = asyncio.run(tocsin.observe("triage", fallback=other)(model)("x"))
        hear("normal")
        normal = asyncio.run(tocsin.observe("triage", fallback=other)(model)("x"))

    assert (plain, awaited, normal) == ("hand:x", "other:x", "model:x")


def test_streams_fall_back_whole() -> None:
    """Half a model's answer and half a fallback's is no answer."""

    def model(text: str) -> Iterator[str]:
        yield from ("model", text)

    async def amodel(text: str) -> AsyncIterator[str]:
        yield "model"
        yield text

    def stand_in(text: str) -> list[str]:
        return ["hand", text]

    async def collect() -> list[str]:
        return [item async for item in tocsin.observe("triage", fallback=stand_in)(amodel)("x")]

    with capture() as calls:
        hear("fallback", probe_share=0.0)
        assert list(tocsin.observe("triage", fallback=stand_in)(model)("x")) == ["hand", "x"]
        assert asyncio.run(collect()) == ["hand", "x"]
        hear("normal")
        assert list(tocsin.observe("triage", fallback=stand_in)(model)("x")) == ["model", "x"]
        assert asyncio.run(collect()) == ["model", "x"]

    assert [who for who, _ in served(calls)] == ["fallback", "fallback", "model", "model"]


def test_the_hosts_own_errors_pass() -> None:
    """A fallback is no catch-all: what the model raises is the caller's to see."""

    @tocsin.observe("triage", fallback=by_hand)
    def broken(_text: str) -> str:
        raise KeyError("x")

    with capture():
        hear("normal")
        with pytest.raises(KeyError, match="x"):
            broken("x")


BAR = Bar(bar=0.9, low_bar=0.6)


@pytest.mark.parametrize(
    ("state", "confidence", "bars", "decided"),
    [
        ("normal", 0.95, (BAR,), "answer"),
        ("normal", 0.7, (BAR,), "verify"),
        ("normal", 0.5, (BAR,), "fallback"),
        ("normal", None, (BAR,), "verify"),
        ("normal", 0.99, (), "verify"),
        ("verify", 0.95, (BAR,), "verify"),
        ("fallback", 0.99, (BAR,), "fallback"),
        ("off", 0.99, (BAR,), "fallback"),
    ],
)
def test_decisions(state: str, confidence: float | None, bars: tuple[Bar, ...], decided: str) -> None:
    """The table of the module, row by row; no bar yet is never a green light."""
    now = FlagState(state=state, terms=Terms(is_automatic=True, floor=0.9, bars=bars))

    assert decide(now, confidence, None, has_fallback=True)[0] == decided


def test_without_a_fallback_verify_is_the_most() -> None:
    """There is nothing else that could answer."""
    now = FlagState(state="fallback", terms=Terms(is_automatic=True, floor=0.9, bars=(BAR,)))

    assert decide(now, 0.1, None, has_fallback=False) == ("verify", None)


def test_a_service_that_restarts_while_tocsin_is_down_knows_that_it_was_tripped(tmp_path: Path) -> None:
    """Two things that go down together must not release a guard."""
    cache = FlagCache(tmp_path / "guards.json")
    cache.write(said("fallback"))

    with capture():
        runtime().settings = runtime().settings.__class__(guard_cache=str(tmp_path / "guards.json"), offline=True)

        assert tocsin.guard("triage").state == "fallback"


def test_a_damaged_cache_is_no_state(tmp_path: Path) -> None:
    """It is a file like any other; a half-written one says nothing."""
    (tmp_path / "guards.json").write_text(said("fallback")[:40])

    assert FlagCache(tmp_path / "guards.json").read() is None

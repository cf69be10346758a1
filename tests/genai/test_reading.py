"""What is read of a response, how sure and how many, without any client."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin._genai.completing import completed, is_request
from tocsin._genai.confidence import Certainty
from tocsin._genai.estimates import prompt_tokens, tokens_of
from tocsin._genai.reading import Answer, read

_KEYS = (
    "id",
    "model",
    "usage",
    "choices",
    "type",
    "content",
    "delta",
    "message",
    "logprobs",
    "output",
    "response",
    "text",
)
_TYPES = ("message_start", "message_delta", "content_block_delta", "response.completed", "response.x.delta")
_WORDS = st.sampled_from([*_KEYS, *_TYPES])
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=5),
    max_leaves=12,
)


@given(st.lists(_ANYTHING, max_size=4))
def test_whatever_a_server_says_is_read_without_an_error(events: list[Any]) -> None:
    """Gateways that speak like OpenAI send what they like."""
    answer = Answer()

    for event in events:
        read(answer, event)

    assert isinstance(answer.text, str)
    assert answer.certainty.confidence is None or 0 <= answer.certainty.confidence <= 1


def test_confidence_is_the_geometric_mean_over_the_tokens() -> None:
    """A joint probability would call every long answer unsure."""
    certainty = Certainty()
    certainty.add([{"logprob": math.log(0.9)}, SimpleNamespace(logprob=math.log(0.4))])
    certainty.add([{"logprob": None}, {"token": "x"}, {"logprob": 0.7}, {"logprob": float("nan")}])

    assert certainty.confidence == pytest.approx(0.6)
    assert Certainty().confidence is None


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("I was charged twice", 5), ("請求書が間違っている", 10), ("Rechnung für mich", 5)],
)
def test_tokens_are_estimated_by_the_script(text: str, tokens: int) -> None:
    """Four characters of English are about a token; a character of Japanese is about one."""
    assert tokens_of(text) == tokens


def test_a_prompts_tokens_are_those_of_its_texts() -> None:
    """Images and tools are not counted: an estimate says so by its flag."""
    parts = [{"type": "text", "text": "abcd"}, {"type": "image_url", "image_url": {"url": "http://x"}}]

    assert prompt_tokens([{"role": "system", "content": "abcdefgh"}, {"role": "user", "content": parts}]) == 3


def test_cached_tokens_of_anthropic_are_among_the_input_tokens() -> None:
    """It counts them apart, OpenAI does not; a price list needs one meaning."""
    answer = Answer()
    usage = {
        "input_tokens": 20,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 100,
        "output_tokens": 7,
    }

    read(answer, {"id": "msg_1", "type": "message", "model": "claude", "content": [], "usage": usage})

    assert (answer.input_tokens, answer.cache_read_tokens, answer.cache_write_tokens) == (2120, 2000, 100)


def test_a_gateways_own_cost_is_kept() -> None:
    """OpenRouter says what it billed: nothing that we reckon is better."""
    answer = Answer()

    read(answer, {"id": "gen-1", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 1, "cost": 0.00042}})

    assert answer.cost_usd == 0.00042


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"gen_ai.operation.name": "chat"}, True),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m"}, False),
        ({"openinference.span.kind": "LLM"}, True),
        ({"openinference.span.kind": "CHAIN", "llm.model_name": "m"}, False),
        ({"traceloop.span.kind": "workflow", "gen_ai.request.model": "m"}, False),
        ({"llm.request.type": "chat"}, True),
        ({"http.route": "/"}, False),
        ({}, False),
    ],
)
def test_what_encloses_requests_is_no_request(said: dict[str, Any], *, expected: bool) -> None:
    """A use case written on an agent's span would make a call of it, with all its tokens once more."""
    assert is_request(said) is expected


def test_what_was_heard_holds_under_the_name_that_the_span_uses() -> None:
    """The collector reads one of several names for a thing; two that differ would be a coin toss."""
    said = {"llm.token_count.prompt": 3, "gen_ai.usage.output_tokens": 7, "tocsin.flags": "a"}
    facts = {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 7, "tocsin.flags": "b"}

    added = completed(said, facts=facts, use_case="triage", owner="")

    assert added == {"llm.token_count.prompt": 5, "tocsin.use_case": "triage", "tocsin.flags": "a,b"}


def test_what_a_span_says_of_itself_stays() -> None:
    """Somebody has named the use case or the call by hand."""
    said = {"tocsin.use_case": "mine", "tocsin.call.id": "order-7"}

    assert completed(said, facts={}, use_case="triage", owner="f" * 48) == {}

"""Frameworks above the clients: their spans and the client's are one call, whichever way their callbacks run."""

import asyncio
from typing import Any

import pytest
from tests.genai import wire
from tests.genai.installed import is_installed

for needed in ("langchain", "langchain_openai", "opentelemetry.instrumentation.genai.langchain"):
    if not is_installed(needed):
        pytest.skip(f"needs {needed}", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("openai_server")


@pytest.fixture
def model(started: Any) -> Any:
    """A chat model of LangChain's."""
    kept = started(use_case="support")
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="gpt-4o"), kept


def test_a_request_of_langchain_is_one_call(model: Any) -> None:
    """Asked, awaited, streamed and streamed in a task: LangChain runs its callbacks in other contexts, now and then."""
    chat, kept = model

    async def awaits() -> None:
        await chat.ainvoke("I was charged twice")
        async for _ in chat.astream("I was charged twice"):
            pass
        await chat.root_async_client.close()

    chat.invoke("I was charged twice")
    for _ in chat.stream("I was charged twice"):
        pass
    asyncio.run(awaits())

    said = kept.said()
    assert len({one["gen_ai.response.id"] for one in said}) == 4
    assert [(one["gen_ai.usage.input_tokens"], one["gen_ai.usage.output_tokens"]) for one in said] == [
        (1200, 7),
        (5, 2),
        (1200, 7),
        (5, 2),
    ]
    assert [one.get("tocsin.flags") for one in said] == [None, "tokens_estimated"] * 2


def test_a_retry_below_langchain_is_an_attempt(model: Any) -> None:
    """LangChain knows nothing of it."""
    chat, kept = model

    chat.invoke(wire.BUSY_ONCE)

    first, second = kept.said()
    assert (first["tocsin.attempt"], first["error.type"]) == (1, "openai.RateLimitError")
    assert (second["tocsin.attempt"], second["tocsin.retry_of"][32:]) == (2, f"{kept.spans[0].context.span_id:016x}")


def test_a_prompt_of_langchain_is_measured(model: Any) -> None:
    """As the client was given it, whatever LangChain's own message types are."""
    chat, kept = model

    chat.invoke([("system", "You sort tickets."), ("human", "I was charged twice")])

    [said] = kept.said()
    assert said["tocsin.input.prompt.chars"] == len("I was charged twice")
    assert said["tocsin.prompt.version"]

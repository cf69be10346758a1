"""Every way of asking a model once, with the real clients, under one family of instrumentors. A program of its own.

    service.py FAMILY    with the providers' and the collector's addresses in the environment

Each scenario is a use case, which the context carries as baggage: the calls that it became are found by it.
"""

import asyncio
import contextlib
import functools
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opentelemetry import baggage, context
from tests.genai import wire

import tocsin

TOOL = {"type": "function", "function": {"name": "refund", "parameters": {"type": "object", "properties": {}}}}
TOOL_OF_ANTHROPIC = {"name": "refund", "input_schema": {"type": "object", "properties": {}}}
CLAUDE = "claude-sonnet-4-6"
QUESTION = "I was charged twice"


def said(text: str = QUESTION) -> list[dict[str, str]]:
    """A prompt."""
    return [{"role": "user", "content": text}]


SCENARIOS: list[Callable[[], None]] = []


def scenario(function: Callable[[], None]) -> Callable[[], None]:
    """Keep it in the list; its name is its use case."""
    SCENARIOS.append(function)
    return function


@contextmanager
def use_case(name: str) -> Iterator[None]:
    """Carry a use case in the context."""
    token = context.attach(baggage.set_baggage("tocsin.use_case", name))
    try:
        yield
    finally:
        context.detach(token)


def instrument(family: str) -> None:
    """Switch a family on, as its documentation says; ``official`` is what tocsin does by itself."""
    if family == "openinference":
        from openinference.instrumentation.anthropic import AnthropicInstrumentor
        from openinference.instrumentation.openai import OpenAIInstrumentor
    elif family == "traceloop":
        from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor
    elif family == "none":  # loaded and not switched on: what a host has loaded is the host's
        import opentelemetry.instrumentation.genai.anthropic
        import opentelemetry.instrumentation.genai.openai  # noqa: F401

        return
    else:
        return
    OpenAIInstrumentor().instrument()
    AnthropicInstrumentor().instrument()


@functools.cache
def openai_client() -> "openai.OpenAI":
    """A client as its documentation makes one; making one reads every certificate of the system."""
    return openai.OpenAI()


@functools.cache
def anthropic_client() -> "anthropic.Anthropic":
    """The same."""
    return anthropic.Anthropic()


def ask_gpt(text: str = QUESTION, **more: object) -> object:
    """Ask OpenAI's model."""
    return openai_client().chat.completions.create(model="gpt-4o", messages=said(text), **more)


@scenario
def openai_chat() -> None:
    """One completion."""
    ask_gpt()


@scenario
def openai_tools() -> None:
    """One that asks for a tool."""
    ask_gpt(tools=[TOOL])


@scenario
def openai_logprobs() -> None:
    """One that says how sure it is."""
    ask_gpt(logprobs=True)


@scenario
def openai_stream() -> None:
    """A stream that says its usage."""
    options = {"include_usage": True}
    for _ in ask_gpt(stream=True, stream_options=options, logprobs=True):
        pass


@scenario
def openai_stream_without_usage() -> None:
    """A stream as it is by default."""
    for _ in ask_gpt(stream=True):
        pass


@scenario
def openai_stream_of_tools() -> None:
    """A stream that asks for a tool."""
    for _ in ask_gpt(stream=True, tools=[TOOL]):
        pass


@scenario
def openai_stream_torn() -> None:
    """The connection breaks."""
    with contextlib.suppress(openai.OpenAIError, OSError, Exception):
        for _ in ask_gpt(wire.TORN, stream=True):
            pass


@scenario
def openai_stream_cut() -> None:
    """The stream ends too early, and nobody raises."""
    for _ in ask_gpt(wire.CUT, stream=True):
        pass


@scenario
def openai_stream_closed() -> None:
    """The caller has read enough, and says so."""
    with ask_gpt(stream=True) as stream:
        next(iter(stream))
        next(iter(stream))


@scenario
def openai_stream_abandoned() -> None:
    """The caller has read enough, and goes."""
    stream = ask_gpt(stream=True)
    next(iter(stream))
    next(iter(stream))
    del stream
    gc.collect()


@scenario
def openai_stream_cancelled() -> None:
    """The task that reads is cancelled."""

    async def reads() -> None:
        async with openai.AsyncOpenAI() as client:
            stream = await client.chat.completions.create(model="gpt-4o", messages=said(wire.STALLED), stream=True)
            await anext(stream)
            await anext(stream)
            waiting = asyncio.ensure_future(anext(stream))
            for _ in range(10):  # it has begun to wait for what does not come
                await asyncio.sleep(0)
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting

    asyncio.run(reads())


@scenario
def openai_busy_once() -> None:
    """429, then an answer."""
    ask_gpt(wire.BUSY_ONCE)


@scenario
def openai_always_busy() -> None:
    """429, and again, and that is it."""
    with contextlib.suppress(openai.RateLimitError):
        ask_gpt(wire.BUSY)


@scenario
def openai_async() -> None:
    """One completion, awaited, after one attempt that failed."""

    async def asks() -> None:
        async with openai.AsyncOpenAI() as client:
            await client.chat.completions.create(model="gpt-4o", messages=said(wire.BUSY_ONCE))

    asyncio.run(asks())


@scenario
def openai_raw() -> None:
    """With the headers, as LangChain asks."""
    openai_client().chat.completions.with_raw_response.create(model="gpt-4o", messages=said()).parse()


@scenario
def openai_embeddings() -> None:
    """Two embeddings."""
    openai_client().embeddings.create(model="text-embedding-3-small", input=["a", "b"])


@scenario
def openai_response() -> None:
    """OpenAI's other API."""
    openai_client().responses.create(model="gpt-4o", input=QUESTION)


@scenario
def openai_response_stream() -> None:
    """OpenAI's other API, streamed."""
    for _ in openai_client().responses.create(model="gpt-4o", input=QUESTION, stream=True):
        pass


@scenario
def openai_observed() -> None:
    """An observed function around it."""

    @tocsin.observe(task="classification")
    def triage() -> None:
        ask_gpt(logprobs=True)
        tocsin.current_call().set_output(label="billing")

    triage()


@scenario
def openai_observed_embeddings() -> None:
    """An observed function around an answer that has no id."""

    @tocsin.observe()
    def embed() -> None:
        openai_client().embeddings.create(model="text-embedding-3-small", input="a")

    embed()


@scenario
def openai_observed_failure() -> None:
    """An observed function around a request that fails."""

    @tocsin.observe()
    def ask() -> None:
        openai_client().with_options(max_retries=0).chat.completions.create(model="gpt-4o", messages=said(wire.BUSY))

    with contextlib.suppress(openai.RateLimitError):
        ask()


def ask_claude(text: str = QUESTION, **more: object) -> object:
    """Ask Anthropic's model."""
    return anthropic_client().messages.create(model=CLAUDE, max_tokens=10, messages=said(text), **more)


@scenario
def anthropic_chat() -> None:
    """One message."""
    ask_claude(system="You sort tickets.")


@scenario
def anthropic_tools() -> None:
    """One that asks for a tool."""
    ask_claude(tools=[TOOL_OF_ANTHROPIC])


@scenario
def anthropic_stream() -> None:
    """A stream."""
    for _ in ask_claude(stream=True):
        pass


@scenario
def anthropic_stream_helper() -> None:
    """A stream, by the helper that gathers it."""
    with anthropic_client().messages.stream(model=CLAUDE, max_tokens=10, messages=said()) as stream:
        for _ in stream.text_stream:
            pass


@scenario
def anthropic_stream_torn() -> None:
    """The connection breaks."""
    with contextlib.suppress(Exception):
        for _ in ask_claude(wire.TORN, stream=True):
            pass


@scenario
def anthropic_stream_cut() -> None:
    """The stream ends too early, and nobody raises."""
    for _ in ask_claude(wire.CUT, stream=True):
        pass


@scenario
def anthropic_stream_closed() -> None:
    """The caller has read enough, and says so."""
    with ask_claude(stream=True) as stream:
        for event in stream:
            if event.type == "content_block_delta":
                break


@scenario
def anthropic_stream_abandoned() -> None:
    """The caller has read enough, and goes."""
    stream = ask_claude(stream=True)
    for event in stream:
        if event.type == "content_block_delta":
            break
    del stream
    gc.collect()


@scenario
def anthropic_busy_once() -> None:
    """429, then an answer."""
    ask_claude(wire.BUSY_ONCE)


@scenario
def anthropic_always_busy() -> None:
    """429, and again, and that is it."""
    with contextlib.suppress(anthropic.RateLimitError):
        ask_claude(wire.BUSY)


@scenario
def anthropic_observed() -> None:
    """An observed function around it."""

    @tocsin.observe(task="classification")
    def triage() -> None:
        ask_claude()
        tocsin.current_call().set_output(label="billing")

    triage()


if __name__ == "__main__":
    tocsin.init(service_name=sys.argv[1], capture="full" if "--full" in sys.argv else None)
    import anthropic
    import openai

    instrument(sys.argv[1])
    for one in SCENARIOS:
        if len(sys.argv) < 3 or sys.argv[2] in one.__name__:
            with use_case(one.__name__.replace("_", "-")):
                one()
    if not tocsin.flush(30):
        sys.exit(f"not everything arrived: {dict(tocsin.stats())}")
    swallowed = {name: count for name, count in tocsin.stats().items() if name.startswith("swallowed.")}
    if swallowed:
        sys.exit(f"swallowed: {swallowed}")

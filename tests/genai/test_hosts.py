"""What a host gets with tocsin is what it gets without: answers, errors, streams, types."""

import asyncio
import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.genai import wire
from tests.genai.installed import is_installed

import tocsin
from tocsin._genai import clients, processor
from tocsin._process.boundary import MISHAPS
from tocsin.testing import capture

openai = pytest.importorskip("openai")
httpx2 = pytest.importorskip("httpx2")
if not is_installed("opentelemetry.instrumentation.genai.openai"):
    pytest.skip("needs tocsin[openai]", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("openai_server")
MESSAGES = [{"role": "user", "content": "I was charged twice"}]


@pytest.fixture
def client(started: Any) -> Iterator[Any]:
    """A client that tocsin listens to."""
    kept = started(use_case="triage", capture="features")
    made = openai.OpenAI()
    made.kept = kept
    yield made
    made.close()


def test_types_and_values_stay(client: Any) -> None:
    """`isinstance` in the host's code must go on to hold."""
    whole = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)

    assert whole.choices[0].message.content == "Billing."
    assert raw.parse().choices[0].message.content == "Billing."
    assert raw.headers["content-type"] == "application/json"
    assert isinstance(stream, openai.Stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Billing."


def test_errors_stay(client: Any) -> None:
    """A host's `except` and its retries depend on them."""
    with pytest.raises(openai.RateLimitError) as raised:
        client.with_options(max_retries=0).chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": wire.BUSY}]
        )

    assert raised.value.status_code == 429
    with pytest.raises(openai.NotFoundError):
        client.images.generate(prompt="a bill")


def test_what_breaks_in_us_is_swallowed_and_counted(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading, estimating, completing: whatever of ours raises, the host has its answer, and the span is ended."""

    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("ours")

    for place in (
        "exchange.read",
        "exchange.prompt_tokens",
        "processor.completed",
        "clients.claim",
        "clients.overhear",
    ):
        monkeypatch.setattr(f"tocsin._genai.{place}", broken)
        answered = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        streamed = list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
        assert (answered.choices[0].message.content, len(streamed)) == ("Billing.", 4), place

    assert sum(MISHAPS.counts().values()) > 0
    assert len(client.kept.said()) == 10


def test_content_leaves_only_as_the_policy_says(started: Any) -> None:
    """What is measured of a prompt is there under `features`; its words are not, neither on our span nor on the host's."""
    kept = started(use_case="triage", capture="features")
    openai.OpenAI().chat.completions.create(model="gpt-4o", messages=MESSAGES)

    [said] = kept.said()

    assert said["tocsin.input.prompt.chars"] == len("I was charged twice")
    assert "charged" not in json.dumps(said)


def test_content_is_there_where_the_policy_asks_for_it(started: Any) -> None:
    """Reviewers need the words; instrumentors leave them out by default."""
    kept = started(use_case="triage", capture={"triage": "redacted"})
    openai.OpenAI().chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "write to jo@example.com"}]
    )

    [said] = kept.said()

    assert "write to" in said["gen_ai.input.messages"]
    assert "jo@example.com" not in said["gen_ai.input.messages"]
    assert "Billing." in said["gen_ai.output.messages"]


def test_time_to_first_chunk_is_measured_of_streams_alone(client: Any) -> None:
    """It is what a reader waits for."""
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    for _ in client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
        pass

    whole, streamed = client.kept.said()

    assert "gen_ai.response.time_to_first_chunk" not in whole
    assert streamed["gen_ai.response.time_to_first_chunk"] > 0


def test_two_requests_in_one_observed_function_are_calls_of_their_own(client: Any) -> None:
    """Each is paid for; the function around them is neither."""

    @tocsin.observe("triage")
    def ask_twice() -> None:
        for _ in range(2):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    ask_twice()

    ids = [said.get("gen_ai.response.id") for said in client.kept.said()]
    assert len({one for one in ids if one}) == 2
    assert ids[-1] is None  # the function's own span, which ends last


def test_a_generator_and_the_stream_that_it_reads_are_one_call(client: Any) -> None:
    """Most chats are streamed through a function of the host's."""

    @tocsin.observe("support")
    def words() -> Iterator[str]:
        for chunk in client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
            yield chunk.choices[0].delta.content or ""

    assert "".join(words()) == "Billing."

    inner, around = client.kept.said()
    assert inner["gen_ai.response.id"] == around["gen_ai.response.id"]


def test_requests_at_the_same_time_are_told_apart(started: Any) -> None:
    """Tasks of one loop: each span has the id of its own response, and each answer its own use case."""
    kept = started()

    async def ask(client: Any, name: str) -> str:
        async with tocsin.observe(name) as call:
            answered = await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
            return f"{call.call_id} {answered.id}"

    async def all_at_once() -> list[str]:
        async with openai.AsyncOpenAI() as client:
            return await asyncio.gather(*(ask(client, f"use-case-{number}") for number in range(20)))

    answered = asyncio.run(all_at_once())

    said = kept.said()
    by_use_case: dict[str, set[str]] = {}
    for one in said:
        by_use_case.setdefault(one["tocsin.use_case"], set()).add(one["gen_ai.response.id"])
    assert len(said) == 40
    assert {name: len(ids) for name, ids in by_use_case.items()} == {f"use-case-{number}": 1 for number in range(20)}
    assert {line.split()[1] for line in answered} == {one for ids in by_use_case.values() for one in ids}


def test_a_stream_that_nobody_reads_ends_its_span(client: Any) -> None:
    """Thrown away before its first event."""
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    del stream
    gc.collect()

    [said] = client.kept.said()

    assert said["error.type"] == "abandoned"
    assert "gen_ai.usage.output_tokens" not in said


def test_an_older_opentelemetry_does_as_well(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 1.40 a processor hears of a span's end only when it is over."""
    monkeypatch.setattr(processor, "IS_TOLD_OF_ENDING", False)
    monkeypatch.setattr(processor.Completing, "_on_ending", lambda *_: None)

    client.chat.completions.create(model="gpt-4o", messages=MESSAGES, logprobs=True)

    [said] = client.kept.said()
    assert (said["tocsin.use_case"], said["tocsin.confidence.source"]) == ("triage", "logprob")


def test_a_provider_that_was_joined_twice_completes_once(client: Any) -> None:
    """A host's provider outlives `tocsin.shutdown`, and with it what the next `init` adds again."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(processor.Completing())
    provider.add_span_processor(processor.Completing())
    provider.add_span_processor(SimpleSpanProcessor(kept))

    tracer = provider.get_tracer("openinference.instrumentation.openai")
    with tracer.start_as_current_span("request", attributes={"openinference.span.kind": "LLM"}):
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    [outer] = [span.attributes or {} for span in kept.get_finished_spans()]
    [inner] = client.kept.said()
    assert "tocsin.call.id" not in outer
    assert outer["gen_ai.response.id"] == inner["gen_ai.response.id"]
    assert str(inner["tocsin.call.id"]).endswith(f"{kept.get_finished_spans()[0].context.span_id:016x}")


def test_teams_see_in_their_tests_what_production_sees(client: Any) -> None:
    """`tocsin.testing` captures other instrumentors' spans, completed."""
    with capture() as calls, tocsin.observe("support"):
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES, logprobs=True)

    asked, around = calls
    assert (asked.use_case, asked.confidence) == ("support", around.confidence)
    assert asked.attributes["gen_ai.response.id"] == around.attributes["gen_ai.response.id"]


def test_spans_of_http_below_a_request_are_none_of_its_own(client: Any) -> None:
    """An instrumentor of the HTTP client starts a span of its own while the request is made."""

    class Telling(httpx2.HTTPTransport):
        def handle_request(self, request: Any) -> Any:
            with trace.get_tracer("opentelemetry.instrumentation.httpx").start_as_current_span("POST"):
                return super().handle_request(request)

    tocsin.uninstrument_genai("openai")
    clients.listen("openai", openai)
    try:
        with openai.OpenAI(http_client=httpx2.Client(transport=Telling())) as telling, tocsin.observe("support"):
            telling.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    finally:
        clients.stop_listening("openai")

    http, around = client.kept.said()
    assert http == {}
    assert (around["gen_ai.usage.input_tokens"], around["gen_ai.request.model"]) == (1200, "gpt-4o")

"""`observe`: functions, coroutines, generators and blocks as AI calls."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

import pytest
from opentelemetry import baggage, context, trace

import tocsin
from tocsin.testing import START_NS, STEP_NS, capture
from tocsin_wire import unpack_handle


def test_a_function_becomes_a_call_with_what_it_said() -> None:
    """The main use: everything the host says about a call is on its span."""

    @tocsin.observe(use_case="ticket-triage", task="classification", model_version="7", prompt_version="p2")
    def triage(words: int) -> str:
        call = tocsin.current_call()
        call.set_input(words=words, language="de")
        call.set_output(label="hardware", probabilities={"hardware": 0.7, "billing": 0.3})
        call.set_cost(0.002)
        return "hardware"

    with capture() as calls:
        answer = triage(12)

    assert answer == "hardware"
    assert len(calls) == 1
    call = calls[0]
    assert call.name.endswith("triage")
    assert (call.use_case, call.task, call.model_version) == ("ticket-triage", "classification", "7")
    assert call.inputs == {"words": 12, "language": "de"}
    assert (call.label, call.confidence, call.cost) == ("hardware", 0.7, 0.002)
    assert call.probabilities == {"hardware": 0.7, "billing": 0.3}
    assert call.attributes["tocsin.confidence.source"] == "proba"
    assert call.attributes["tocsin.cost.currency"] == "USD"
    assert call.attributes["gen_ai.prompt.version"] == "p2"
    assert (call.start_ns, call.end_ns) == (START_NS, START_NS + STEP_NS)


async def test_a_coroutine_becomes_a_call() -> None:
    """Most callers of models are async; the call lasts until the await is over."""

    @tocsin.observe("ticket-triage")
    async def triage() -> str:
        await asyncio.sleep(0)
        tocsin.current_call().set_output(label="billing")
        return "billing"

    with capture() as calls:
        answer = await triage()

    assert answer == "billing"
    assert inspect.iscoroutinefunction(triage)
    assert [call.label for call in calls] == ["billing"]


async def test_concurrent_calls_do_not_mix() -> None:
    """Two requests in one event loop must each fill their own span."""

    @tocsin.observe("ticket-triage")
    async def triage(label: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        tocsin.current_call().set_output(label=label)

    with capture() as calls:
        await asyncio.gather(*(triage(str(at), at % 3) for at in range(20)))

    assert sorted(int(call.label or -1) for call in calls) == list(range(20))


def test_a_block_becomes_a_call() -> None:
    """Not every call is a function of its own."""
    with capture() as calls, tocsin.observe("ticket-triage", task="regression") as call:
        call.set_output(value=3)

    assert [(call.use_case, call.task, call.value) for call in calls] == [("ticket-triage", "regression", 3.0)]


async def test_an_async_block_becomes_a_call() -> None:
    """As above, in async code."""
    with capture() as calls:
        async with tocsin.observe("ticket-triage") as call:
            call.set_output(text="Hello")

    assert [call.text for call in calls] == ["Hello"]


def test_a_generator_is_one_call_and_current_only_while_its_body_runs() -> None:
    """The consumer's own calls, between two items, are not inside the generator's."""
    seen: list[str | None] = []

    @tocsin.observe("chat")
    def answer() -> Iterator[str]:
        for word in ("Hello", "you"):
            seen.append(tocsin.current_call().use_case)
            yield word
        tocsin.current_call().set_output(text="Hello you")

    with capture() as calls:
        seen.extend(tocsin.current_call().use_case for _ in answer())

    assert inspect.isgeneratorfunction(answer)
    assert seen == ["chat", None, "chat", None]
    assert [call.text for call in calls] == ["Hello you"]


def test_a_generator_still_takes_what_is_sent_and_thrown_and_returns() -> None:
    """A wrapped generator is used as the bare one was."""

    @tocsin.observe("chat")
    def echo() -> Generator[str, str, str]:
        said = yield "ready"
        try:
            yield said
        except KeyError as error:
            yield f"caught {error.args[0]}"
        return "bye"

    with capture() as calls:
        running = echo()
        first, second = next(running), running.send("hi")
        third = running.throw(KeyError("k"))
        with pytest.raises(StopIteration) as stop:
            next(running)

    assert (first, second, third, stop.value.value) == ("ready", "hi", "caught k", "bye")
    assert [call.error_type for call in calls] == [None]


def test_a_generator_closed_early_ends_its_call_without_an_error() -> None:
    """A user who stops reading is no failure of the model."""
    closed = []

    @tocsin.observe("chat")
    def answer() -> Generator[int, None, None]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    with capture() as calls:
        running = answer()
        next(running)
        running.close()

    assert closed == [True]
    assert [call.error_type for call in calls] == [None]


async def test_an_async_generator_is_one_call() -> None:
    """Streams of tokens are async generators almost everywhere."""

    @tocsin.observe("chat")
    async def answer() -> AsyncIterator[str]:
        yield "Hello"
        await asyncio.sleep(0)
        tocsin.current_call().set_output(text="Hello")

    with capture() as calls:
        words = [word async for word in answer()]

    assert inspect.isasyncgenfunction(answer)
    assert words == ["Hello"]
    assert [call.text for call in calls] == ["Hello"]


async def test_an_async_generator_closed_early_ends_its_call() -> None:
    """As with generators: a client that hangs up is not an error."""

    @tocsin.observe("chat")
    async def answer() -> AsyncGenerator[int, None]:
        for at in range(100):
            yield at

    with capture() as calls:
        running = answer()
        await anext(running)
        await running.aclose()

    assert [call.error_type for call in calls] == [None]


async def test_cancellation_passes_through_and_is_recorded() -> None:
    """Swallowing a cancellation hangs the host; hiding it hides timeouts."""
    started = asyncio.Event()

    @tocsin.observe("chat")
    async def answer() -> None:
        started.set()
        await asyncio.Event().wait()

    with capture() as calls:
        task = asyncio.create_task(answer())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert [call.error_type for call in calls] == ["asyncio.exceptions.CancelledError"]


def test_the_hosts_exception_passes_untouched_and_its_type_is_recorded() -> None:
    """The very object, with its traceback: instrumentation must not change what the host catches."""
    raised = ValueError("mine")

    @tocsin.observe("chat")
    def answer() -> None:
        raise raised

    with capture() as calls, pytest.raises(ValueError, match="mine") as caught:
        answer()

    assert caught.value is raised
    assert caught.value.__cause__ is None
    assert [call.error_type for call in calls] == ["ValueError"]


def test_calls_nest_as_spans_do() -> None:
    """A judge inside a chat is a call of its own, below the chat in the trace."""
    with (
        capture() as calls,
        tocsin.observe("chat") as outer,
        tocsin.observe("judge") as inner,
    ):
        inner.set_output(label="good")
        outer.set_output(text="Hello")

    assert [(call.use_case, call.label, call.text) for call in calls] == [
        ("judge", "good", None),
        ("chat", None, "Hello"),
    ]
    assert calls[0].call_id[:32] == calls[1].call_id[:32]


def test_the_use_case_comes_from_the_argument_then_baggage_then_init() -> None:
    """A gateway names the feature in baggage, so that shared code need not know it."""
    token = context.attach(baggage.set_baggage("tocsin.use_case", "from-baggage"))
    try:
        with capture(use_case="from-init") as calls:
            with tocsin.observe("named"):
                pass
            with tocsin.observe():
                pass
    finally:
        context.detach(token)
    with capture(use_case="from-init") as later, tocsin.observe():
        pass

    assert [call.use_case for call in (*calls, *later)] == ["named", "from-baggage", "from-init"]


def test_without_a_use_case_the_span_still_says_that_it_is_a_call() -> None:
    """The collector then maps it, or names it service/span; it finds it by its call id."""
    with capture() as calls, tocsin.observe(name="triage") as call:
        handle = call.handle

    assert calls[0].use_case is None
    assert calls[0].attributes["tocsin.call.id"] == calls[0].call_id
    assert unpack_handle(handle).use_case == "tests/triage"


def test_a_handle_carries_what_a_late_outcome_needs() -> None:
    """Label, confidence, versions and segments: the outcome needs no look-up."""
    with (
        capture() as calls,
        tocsin.observe("triage", model_version="7", segments=("language", "vip", "absent")) as call,
    ):
        call.set_input(language="de", vip=True)
        call.set_output(label="billing")
        call.confidence = 0.8
        handle = call.handle

    ref = unpack_handle(handle)
    assert (ref.use_case, ref.call_id, ref.label) == ("triage", calls[0].call_id, "billing")
    assert (ref.confidence, ref.model_version, ref.started_unix_nano) == (0.8, "7", START_NS)
    assert dict(ref.segments) == {"language": "de", "vip": "true"}


def test_the_latest_calls_handle_is_at_hand_after_the_call() -> None:
    """The caller of a decorated function has no call object, and wants the handle for its thumbs-up button."""

    @tocsin.observe("triage")
    def triage() -> None:
        tocsin.current_call().set_output(label="billing")

    with capture() as calls:
        triage()
        handles = tocsin.last_calls()

    assert [unpack_handle(handle).call_id for handle in handles] == [calls[0].call_id]


@pytest.mark.parametrize("confidence", [1.7, -0.1, float("nan"), float("inf")])
def test_an_impossible_confidence_is_flagged(confidence: float) -> None:
    """1.7 is a bug of the host's that it wants to find; it must neither raise nor count as sure."""
    with capture() as calls, tocsin.observe("triage") as call:
        call.confidence = confidence

    assert "confidence_out_of_range" in calls[0].flags
    assert calls[0].confidence in (confidence, None)


def test_missing_inputs_are_listed_and_not_sent_as_numbers() -> None:
    """A null rate can only be measured when a missing field is told from an absent one."""
    with capture() as calls, tocsin.observe("triage") as call:
        call.set_input(age=None, income=float("nan"), city="Bern")

    assert calls[0].inputs == {"city": "Bern"}
    assert calls[0].null_inputs == ("age", "income")


def test_ten_thousand_fields_are_cut_to_a_hundred_and_twenty_eight() -> None:
    """Bounded by contract, and the flag says how many are missing."""
    with capture() as calls, tocsin.observe("triage") as call:
        call.set_inputs({f"c{at}": at for at in range(10_000)})

    assert len(calls[0].inputs) == 128
    assert calls[0].flags == ("fields_dropped:9872",)
    assert calls[0].use_case == "triage"


def test_five_megabytes_of_output_are_cut() -> None:
    """A runaway generation must not become a runaway request."""
    with capture() as calls, tocsin.observe("chat") as call:
        call.set_output(text="x" * 5_000_000)

    assert len(calls[0].text or "") == 65_536
    assert calls[0].flags == ("truncated:output",)


def test_outside_of_a_call_the_current_call_records_nothing() -> None:
    """Shared code may say what it knows without asking whether anybody observes."""
    with capture() as calls:
        call = tocsin.current_call()
        call.set_output(label="x")
        call.confidence = 0.5

    assert calls == []
    assert call.handle == ""


def test_calls_go_under_the_hosts_own_span() -> None:
    """The AI call belongs into the trace of the request that made it."""
    with capture() as calls:
        tracer = tocsin._process.runtime.runtime().tracer
        with tracer.start_as_current_span("GET /triage") as request, tocsin.observe("triage"):
            inside = trace.get_current_span()

    assert inside is not request
    assert calls[0].call_id.startswith(f"{request.get_span_context().trace_id:032x}")


def test_the_host_may_decorate_methods_and_keep_their_signature() -> None:
    """Frameworks read signatures to inject arguments."""

    class Service:
        @tocsin.observe("triage")
        def answer(self, ticket: str, *, loud: bool = False) -> str:
            """Answer a ticket."""
            return ticket.upper() if loud else ticket

    with capture() as calls:
        said = Service().answer("hi", loud=True)

    assert said == "HI"
    assert list(inspect.signature(Service.answer).parameters) == ["self", "ticket", "loud"]
    assert Service.answer.__doc__ == "Answer a ticket."
    assert len(calls) == 1


def test_a_disabled_sdk_records_nothing_and_gets_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_SDK_DISABLED is the operator's way out, whatever the code says."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    tocsin.init()
    tocsin.instrument_sklearn()

    with tocsin.observe("triage") as call:
        call.set_output(label="x")
        handle = call.handle

    assert handle == ""
    assert tocsin.record_outcome("t1.x", label="y") is False
    assert tocsin.guard("triage").state == "normal"
    assert tocsin.flush() is True
    assert "spans_ended" not in tocsin.stats()

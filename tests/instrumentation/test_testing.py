"""`tocsin.testing`: the double that hosts test with."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import tocsin
from tocsin import testing
from tocsin._process.runtime import runtime
from tocsin_wire import unpack_handle


def test_capture_gives_the_same_ids_and_times_in_every_run() -> None:
    """Snapshots of calls must not change from run to run."""
    runs = []
    for _ in range(2):
        with testing.capture() as calls:
            for label in ("a", "b"):
                with tocsin.observe("triage") as call:
                    call.set_output(label=label)
        runs.append([(call.call_id, call.start_ns, call.end_ns, call.label) for call in calls])

    assert runs[0] == runs[1]
    assert runs[0][0][:2] == (f"{1:032x}{1:016x}", testing.START_NS)


def test_what_was_set_up_before_is_back_afterwards() -> None:
    """A test must not leave its double behind for the next one."""
    before = runtime()

    with testing.capture():
        during = runtime()

    assert during is not before
    assert runtime() is before


def test_outcomes_are_captured_beside_the_calls() -> None:
    """A host tests that its thumbs-down reaches the right call."""
    with testing.capture() as calls:
        with tocsin.observe("triage") as call:
            call.set_output(label="billing")
        tocsin.record_outcome(tocsin.last_calls()[0], correct=False, source="thumbs")

    assert [unpack_handle(outcome.handle).call_id for outcome in calls.outcomes] == [calls[0].call_id]
    assert calls.outcomes[0].correct is False


def test_a_capture_leaves_no_thread_behind() -> None:
    """It connects to nothing, so nothing retries in the background of the host's suite."""
    before = threading.active_count()

    with testing.capture():
        tocsin.guard("triage").route()
        tocsin.record_outcome("t1.x", label="y")

    assert threading.active_count() == before


def test_captures_nest() -> None:
    """A fixture captures for the suite, a test for itself."""
    with testing.capture() as outer:
        with testing.capture() as inner, tocsin.observe("inner"):
            pass
        with tocsin.observe("outer"):
            pass

    assert [call.use_case for call in inner] == ["inner"]
    assert [call.use_case for call in outer] == ["outer"]


def two_calls() -> None:
    """Make one call that is sure and one that is not."""
    for label, confidence in (("billing", 0.9), ("hardware", 0.4)):
        with tocsin.observe("triage", task="classification") as call:
            call.set_input(words=len(label), language="en")
            call.set_output(label=label)
            call.confidence = confidence


def test_assertions_find_calls_by_any_field() -> None:
    """Teams say what they care about, and nothing else."""
    with testing.capture() as calls:
        two_calls()

    calls.assert_called("triage", label="billing", confidence=pytest.approx(0.9), inputs={"language": "en"})
    calls.assert_called("triage", times=2)
    calls.assert_not_called("triage", label="refund")
    assert calls.one(label="hardware").confidence == 0.4
    assert [call.label for call in calls.of("triage", task="classification")] == ["billing", "hardware"]


def test_a_failed_assertion_says_what_came_instead() -> None:
    """The nearest call first, with only what differs."""
    with testing.capture() as calls:
        two_calls()

    with pytest.raises(AssertionError) as raised:
        calls.assert_called("triage", label="billing", inputs={"language": "de"})

    assert str(raised.value) == (
        "expected a call with use_case='triage', label='billing', inputs={'language': 'de'}; 0 of 2 made are like that:\n"
        "  triage: inputs['language'] is 'en', expected 'de'\n"
        "  triage: label is 'hardware', expected 'billing'; inputs['language'] is 'en', expected 'de'"
    )


def test_messages_tell_none_from_too_many() -> None:
    """`one` fails in two ways, and a typing error in a third."""
    with testing.capture() as calls:
        with pytest.raises(AssertionError, match="expected exactly one call; no call was made at all"):
            calls.one()
        two_calls()

    with pytest.raises(AssertionError, match=r"exactly one call with use_case='triage'; 2 of 2 made are like that"):
        calls.one("triage")
    with pytest.raises(TypeError, match=r"a call has no lable; expected some of attributes, call_id"):
        calls.assert_called(lable="x")


def test_outcomes_are_asserted_of_their_call() -> None:
    """The thumbs-down must be for the answer that was shown."""
    with testing.capture() as calls:
        two_calls()
        tocsin.record_outcome(tocsin.last_calls()[0], correct=False, source="thumbs")

    calls.assert_outcome(calls[1], correct=False, source="thumbs", times=1)
    with pytest.raises(
        AssertionError, match=r"expected an outcome of triage .* with correct=True; 0 of 1 recorded are"
    ):
        calls.assert_outcome(calls[0], correct=True)


@pytest.mark.parametrize("state", ["normal", "verify", "fallback", "off"])
def test_a_guard_is_in_the_state_that_a_test_wants(state: str) -> None:
    """The fallback is the path that production takes on its worst day; it must be tested on ordinary ones."""
    with testing.capture():
        with testing.guard_state("triage", state):
            route = tocsin.guard("triage").route()
            said = tocsin.guard("triage").state
        after = tocsin.guard("triage").state

    assert (said, after) == (state, "normal")
    assert route.ask_model is (state in {"normal", "verify"})


def test_a_guard_has_no_other_states() -> None:
    """A typing error would otherwise read as normal."""
    with (
        testing.capture(),
        pytest.raises(ValueError, match="expected a state of normal, verify, fallback, off, got 'on'"),
        testing.guard_state("triage", "on"),
    ):
        pass


async def test_calls_of_tasks_and_threads_are_captured() -> None:
    """A service answers in both."""
    import asyncio

    @tocsin.observe("task")
    async def task() -> None:
        await asyncio.sleep(0)

    def work() -> None:
        with tocsin.observe("thread"):
            pass

    with testing.capture() as calls:
        await asyncio.gather(task(), task(), asyncio.to_thread(work))

    assert sorted(call.use_case or "" for call in calls) == ["task", "task", "thread"]


def test_spans_of_other_instrumentors_are_captured_in_every_test_anew() -> None:
    """They take their tracer once, in whichever test comes first, and keep it."""
    from opentelemetry import trace

    tracer = trace.get_tracer("opentelemetry.instrumentation.openai")
    runs = []
    for _ in range(2):
        with testing.capture() as calls:
            with tracer.start_as_current_span("chat gpt-5") as span:
                span.set_attribute("gen_ai.request.model", "gpt-5")
                span.set_attribute("gen_ai.usage.input_tokens", 7)
            with tracer.start_as_current_span("SELECT"):
                pass
        runs.append([(call.name, call.model_name, call.input_tokens, call.call_id) for call in calls])
    with tracer.start_as_current_span("nobody looks"):
        pass

    assert runs[0] == runs[1] == [("chat gpt-5", "gpt-5", 7, f"{1:032x}{1:016x}")]


def test_spans_of_other_instrumentors_are_captured_after_init_too() -> None:
    """An application that starts tocsin on import is what most tests import."""
    from opentelemetry import trace

    tocsin.init(endpoint="http://127.0.0.1:1")
    tracer = trace.get_tracer("opentelemetry.instrumentation.openai")

    with testing.capture() as calls, tracer.start_as_current_span("chat") as span:
        span.set_attribute("gen_ai.request.model", "gpt-5")

    assert [call.model_name for call in calls] == ["gpt-5"]
    assert tocsin.stats()["spans_ended"] == 0


def test_the_fixture_captures_one_test(tmp_path: Path) -> None:
    """One line in a conftest, and isolation between tests."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tocsin.pytest_plugin"]')
    (tmp_path / "test_service.py").write_text(
        "import tocsin\n"
        "def make():\n    with tocsin.observe('triage') as call:\n        call.set_output(label='x')\n"
        "def test_first(tocsin_calls):\n    make()\n    assert tocsin_calls.one('triage').label == 'x'\n"
        "def test_second(tocsin_calls):\n    assert tocsin_calls == []\n    make()\n    make()\n"
        "    tocsin_calls.assert_called(times=2)\n"
    )

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "2 passed" in done.stdout, done.stdout + done.stderr

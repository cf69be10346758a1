"""`tocsin.testing`: the double that hosts test with."""

import threading

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

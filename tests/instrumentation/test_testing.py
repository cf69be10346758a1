"""`tocsin.testing`: the double that hosts test with."""

import tocsin
from tocsin import testing
from tocsin._runtime import runtime


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


def test_captures_nest() -> None:
    """A fixture captures for the suite, a test for itself."""
    with testing.capture() as outer:
        with testing.capture() as inner, tocsin.observe("inner"):
            pass
        with tocsin.observe("outer"):
            pass

    assert [call.use_case for call in inner] == ["inner"]
    assert [call.use_case for call in outer] == ["outer"]

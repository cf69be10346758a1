"""The state machine: invariants by hypothesis, arcs by example."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tocsin_alerts.machine import Observation, Status, Timing, step

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)

observations = st.builds(
    Observation,
    holds=st.sampled_from([True, False, None]),
    clears=st.sampled_from([True, False, None]),
    overlay=st.sampled_from(["", "no_data", "low_n"]),
    value=st.none() | st.floats(0, 1),
)
timings = st.builds(
    Timing,
    every=st.just(DAY),
    hold=st.integers(0, 3).map(lambda n: n * DAY),
    keep=st.integers(0, 3).map(lambda n: n * DAY),
)


def play(seen: list[Observation], timing: Timing, status: Status | None = None, first: int = 0) -> list[Status]:
    """Step day by day and give where the alert stood after each."""
    stood = []
    for index, each in enumerate(seen):
        status = step(status, each, timing, START + (first + index) * DAY)
        stood.append(status)
    return stood


def says(text: str) -> list[Observation]:
    """Read a story: x holds, . does not, ? cannot be known."""
    truth: dict[str, Any] = {"x": True, ".": False, "?": None}
    return [Observation(holds=truth[c], clears=None if c == "?" else not truth[c]) for c in text]


def states(text: str, **timing: int) -> str:
    """Tell a story and give the first letter of each state."""
    made = Timing(every=DAY, **{name: days * DAY for name, days in timing.items()})
    return "".join(status.state[0] for status in play(says(text), made))


@given(st.lists(observations, max_size=30), timings)
def test_a_replay_from_any_stored_status_ends_the_same(seen: list[Observation], timing: Timing) -> None:
    """After a crash the engine steps again from what it stored: same inputs, same states, or ids would differ."""
    whole = play(seen, timing)

    for cut in range(1, len(seen)):
        assert play(seen[cut:], timing, whole[cut - 1], first=cut) == whole[cut:]
        assert play(seen[: cut + 1], timing, whole[cut])[-1] == whole[cut], "slots already taken in change nothing"


@given(st.lists(observations, max_size=30), timings)
def test_firing_comes_out_of_pending_when_there_is_a_for(seen: list[Observation], timing: Timing) -> None:
    """A rule that asks for two bad days must never page on one."""
    before = "inactive"
    held = 0
    for each, status in zip(seen, play(seen, timing), strict=True):
        if status.state == "firing" and before not in ("firing", "recovering"):
            assert before == ("pending" if timing.hold else before)
            assert held >= timing.hold // DAY, "every slot that counted was known and true"
        held = 0 if each.holds is False else held + (each.holds is True)
        before = status.state


@given(st.lists(observations, max_size=30), timings)
def test_resolved_comes_only_after_firing(seen: list[Observation], timing: Timing) -> None:
    """A resolve without a page before it would confuse whoever is on call."""
    has_fired = False
    before = "inactive"
    for status in play(seen, timing):
        has_fired = has_fired or status.state == "firing"
        if status.state == "resolved" and before != "resolved":
            assert has_fired
            has_fired = False
        before = status.state


@given(st.lists(observations, max_size=20), timings, st.integers(1, 10))
def test_missing_data_changes_the_overlay_and_nothing_else(seen: list[Observation], timing: Timing, gap: int) -> None:
    """Silence is no health: an outage must not resolve an incident, nor open one."""
    last = play(seen, timing)[-1:] or [step(None, says(".")[0], timing, START)]
    missing = [Observation(holds=None, clears=None, overlay="no_data")] * gap

    after = play(missing, timing, last[0], first=len(seen) + 1)

    assert {status.state for status in after} == {last[0].state}
    assert {status.overlay for status in after} == {"no_data"}
    assert {status.value for status in after} == {last[0].value}


def test_for_counts_slots_after_the_first() -> None:
    """With "for: 1" one more slot is waited for, as Prometheus counts it."""
    assert states("xxx.", hold=1) == "pffr"
    assert states("x.xx", hold=1) == "pipf"
    assert states("xxxx", hold=3) == "pppf"
    assert states(".x.", hold=0) == "ifr"


def test_unknown_slots_stop_the_count() -> None:
    """One bad day, two days of silence and one bad day are two bad days in a row, not four."""
    assert states("x??x", hold=2) == "pppp"
    assert states("x??xx", hold=2) == "ppppf"
    assert states("x?.", hold=2) == "ppi"


def test_keep_firing_for_waits_for_lasting_recovery() -> None:
    """One good hour in a bad night must not resolve and page again."""
    assert states("x..xx...", keep=2) == "frrffrrr"
    assert play(says("x..xx..."), Timing(every=DAY, keep=2 * DAY))[-1].state == "resolved"


def test_between_condition_and_clearing_a_firing_alert_stays() -> None:
    """Hysteresis: neither bad enough to fire nor good enough to clear."""
    timing = Timing(every=DAY)
    between = Observation(holds=False, clears=False)

    stood = play([*says("x"), between, between, *says(".")], timing)

    assert [status.state for status in stood] == ["firing", "firing", "firing", "resolved"]

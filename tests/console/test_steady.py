"""A clock that is set is not believed at once: hours without calls page, and hours that come again were judged."""

from datetime import UTC, datetime, timedelta

from tocsin_console.steady import BELIEVED_AFTER_S, SteadyClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class System:
    """A machine's two clocks, which a test moves."""

    def __init__(self) -> None:
        self.wall, self.s = NOON, 0.0

    def passes(self, seconds: float) -> None:
        """Let time pass on both."""
        self.wall += timedelta(seconds=seconds)
        self.s += seconds

    def steady(self) -> SteadyClock:
        """Make the clock over both."""
        return SteadyClock(lambda: self.wall, elapsed=lambda: self.s)


def test_time_that_passes_is_believed() -> None:
    """Also time in which the machine slept, and a clock that a time server moves by seconds."""
    system = System()
    clock = system.steady()

    system.passes(8 * 3600)
    assert clock() == system.wall
    system.wall -= timedelta(seconds=4)
    assert clock() == system.wall


def test_a_jump_that_is_taken_back_never_happened() -> None:
    """Five hours ahead for a few minutes, by a mistake that somebody mends: no hour of them is evaluated."""
    system = System()
    clock = system.steady()
    for hours in (5, -5):
        system.wall += timedelta(hours=hours)
        system.passes(30)
        assert clock() == NOON + timedelta(seconds=system.s)
        system.passes(200)
        assert clock() == NOON + timedelta(seconds=system.s)
        system.wall -= timedelta(hours=hours)
        assert clock() == system.wall


def test_a_jump_that_stays_is_believed_after_ten_minutes() -> None:
    """A machine that began in 1970 has the right time at some point, and must use it."""
    system = System()
    clock = system.steady()
    system.wall += timedelta(hours=5)
    clock()

    system.passes(BELIEVED_AFTER_S - 1)
    held = clock()
    system.passes(2)

    assert held == NOON + timedelta(seconds=BELIEVED_AFTER_S - 1)
    assert clock() == system.wall
    system.passes(60)
    assert clock() == system.wall


def test_each_jump_waits_anew() -> None:
    """The ten minutes of one are no credit for the next."""
    system = System()
    clock = system.steady()
    system.wall += timedelta(hours=2)
    clock()
    system.passes(300)
    system.wall -= timedelta(hours=2)
    assert clock() == system.wall
    system.wall += timedelta(hours=2)
    clock()

    system.passes(400)

    assert clock() == NOON + timedelta(seconds=700)

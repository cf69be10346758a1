"""What a drill injects: as much as was asked for, when it was asked for, and nothing before."""

import math
import random
from datetime import date, timedelta

import numpy as np
import pytest

from tocsin_alerts.drill.decay import REFERENCE, Cell, Decay, Kind, find_tilt, timeline
from tocsin_alerts.drill.noticing import Habits, Noticed, in_words
from tocsin_alerts.errors import DrillRefused

UNTIL = date(2026, 3, 2)
OWN = [UNTIL - timedelta(days=back) for back in range(28, 0, -1)]
CELLS = [Cell(sure=at / 100, calls=10 + at * at, right=(10 + at * at) * at / 100) for at in range(30, 100)]
ALL = Habits(confidence=True, labels=1.0, label_delay=timedelta(0), calibrated=True, reviews=20)


def lay(kind: Kind, *, own: list[date] = OWN, delay: int = 0, drop: float = 0.16, over: int = 60) -> object:
    """Lay a drill out."""
    decay = Decay(kind=kind, drop=drop, over=over)
    return timeline(decay, CELLS, own=own, until=UNTIL, label_delay=timedelta(days=delay), seed="s")


def test_the_reference_is_the_own_weeks_as_they_were_and_nothing_changes_before_the_onset() -> None:
    """A decay that leaks into the reference is never seen; one that begins before the calibration is fitted is seen too late."""
    days = timeline(
        Decay(kind="concept", drop=0.16, over=60),
        CELLS,
        own=OWN,
        until=UNTIL,
        label_delay=timedelta(days=14),
        seed="s",
    )

    assert [day.own for day in days.days[:REFERENCE]] == OWN
    assert [day.at for day in days.days[:REFERENCE]] == OWN
    assert days.onset == REFERENCE + 16
    assert all((day.flip, day.tilt, day.scale) == (0.0, 0.0, 1.0) for day in days.days[: days.onset])
    assert all(day.at.weekday() == day.own.weekday() and day.own in OWN for day in days.days)


@pytest.mark.parametrize("kind", ["concept", "covariate"])
def test_accuracy_falls_by_what_was_asked_for_and_stays_there(kind: Kind) -> None:
    """The answer is 'noticed on day 9 of this decay': of another decay it would be worth nothing."""
    days = timeline(
        Decay(kind=kind, drop=0.16, over=20), CELLS, own=OWN, until=UNTIL, label_delay=timedelta(0), seed="s"
    )
    sure, calls, right = (np.array([getattr(cell, name) for cell in CELLS]) for name in ("sure", "calls", "right"))
    before = right.sum() / calls.sum()

    def accuracy(index: int) -> float:
        day = days.days[index]
        come = calls * day.scale * np.exp(-day.tilt * sure)
        assert come.sum() == pytest.approx(calls.sum())
        return float((come * right / calls).sum() / come.sum() * (1 - day.flip))

    middle, bottom, end = days.onset + 10, days.onset + 19, len(days.days) - 1
    assert accuracy(days.onset - 1) == pytest.approx(before)
    assert accuracy(middle) == pytest.approx(before - 0.16 * 10.5 / 20, abs=1e-6)
    assert accuracy(bottom) == pytest.approx(before - 0.16 * 19.5 / 20, abs=1e-6)
    assert accuracy(end) == pytest.approx(before - 0.16, abs=1e-6)


def test_tilts_agree_with_a_search_over_a_grid() -> None:
    """Random mixtures, degenerate ones too: one value of confidence alone, and certainty."""
    chance = random.Random(7)
    for _ in range(50):
        cells = [
            Cell(sure=sure, calls=calls, right=calls * sure)
            for sure, calls in ((chance.random(), chance.randint(1, 999)) for _ in range(20))
        ]
        sure, calls = (np.array([getattr(cell, name) for cell in cells]) for name in ("sure", "calls"))
        grid = np.linspace(0, 40, 4_001)
        weights = calls * np.exp(-grid[:, None] * (sure - sure.min()))
        accuracy = (weights * sure).sum(axis=1) / weights.sum(axis=1)
        wanted = float(accuracy[chance.randint(1, 4_000)])

        found = find_tilt(cells, wanted)

        assert np.interp(found, grid, accuracy) == pytest.approx(wanted, abs=1e-4)
    with pytest.raises(DrillRefused, match="--kind concept"):
        find_tilt([Cell(sure=0.9, calls=10, right=9.0)], 0.8)


def test_short_history_repeats_its_whole_weeks_and_less_than_one_is_refused() -> None:
    """A week is the least that has every weekday in it."""
    days = timeline(
        Decay(kind="concept", drop=0.1, over=5), CELLS, own=OWN[-9:], until=UNTIL, label_delay=timedelta(0), seed="s"
    )

    assert {day.own for day in days.days} == set(OWN[-7:])
    with pytest.raises(DrillRefused, match="at least one of the last 4 weeks"):
        lay("concept", own=OWN[-6:])


@pytest.mark.parametrize(("drop", "over"), [(0.0, 60), (1.0, 60), (0.1, 0), (0.1, 366), (math.nan, 60)])
def test_a_decay_that_is_none_is_refused(drop: float, over: int) -> None:
    """Nonsense in, a number of days out: the worst answer there is."""
    with pytest.raises(DrillRefused, match="expected a drop"):
        Decay(kind="concept", drop=drop, over=over)


def test_more_than_is_right_cannot_be_lost() -> None:
    """Ninety points of eighty."""
    with pytest.raises(DrillRefused, match="that are right now"):
        lay("concept", drop=0.9)


def noticed(reviews: int, day: int | None) -> Noticed:
    """Somebody noticed, or nobody did."""
    return Noticed(reviews=reviews, day=day, rule="r" if day else "", slot=None, without_it=())


@pytest.mark.parametrize(
    ("as_is", "more", "habits", "said"),
    [
        (noticed(0, 9), noticed(40, 6), ALL, "noticed on day 9; with 40 reviews a week, day 6"),
        (
            noticed(0, None),
            noticed(20, 27),
            Habits(confidence=False, labels=0.0, label_delay=timedelta(0), calibrated=False, reviews=0),
            "never noticed in 74 days: nobody reviews, no labels come, its calls give no confidence; with 20 a week, day 27",
        ),
        (
            noticed(5, None),
            noticed(20, None),
            ALL,
            "never noticed in 74 days; with 20 reviews a week, not in 74 days either",
        ),
    ],
)
def test_it_is_said_in_one_sentence(as_is: Noticed, more: Noticed, habits: Habits, said: str) -> None:
    """'Days? Weeks? Months?' is asked in one breath, and what is missing is the way to a better answer."""
    assert in_words([as_is, more], habits, days=74) == said

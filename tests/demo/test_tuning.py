"""The story's numbers, computed offline: what the model really does while its scanners wear out."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from tocsin_console.demo import DEFAULT_SEED
from tocsin_console.demo.model import Reader, train
from tocsin_console.demo.schedule import REFERENCE_DAYS, Calendar
from tocsin_console.demo.traffic import make_day

WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One day as tocsin could see it, and the truth."""

    confidence: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    is_labelled: NDArray[np.bool_]


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The model of the story, trained once."""
    return train(DEFAULT_SEED)


@pytest.fixture(scope="module")
def days(reader: Reader) -> list[Watched]:
    """Every day of the story, answered by the real model."""
    calendar, watched = Calendar(), []
    for number in range(calendar.days):
        day = make_day(reader, calendar, number, DEFAULT_SEED)
        probabilities = reader.pipeline[-1].predict_proba(day.images.reshape(len(day), -1))
        assert (probabilities.argmax(axis=1) == reader.answers(day.images)).all()
        watched.append(
            Watched(
                confidence=probabilities.max(axis=1),
                is_right=probabilities.argmax(axis=1) == day.digits,
                is_labelled=day.is_labelled,
            )
        )
    return watched


def accuracy(days: list[Watched]) -> float:
    """True accuracy over some days."""
    return float(np.concatenate([day.is_right for day in days]).mean())


def test_the_model_starts_near_94_percent(days: list[Watched]) -> None:
    """The story begins with a model that works."""
    assert accuracy(days[:REFERENCE_DAYS]) == pytest.approx(0.94, abs=0.01)


def test_it_ends_near_78_percent_when_the_scanners_are_worn(days: list[Watched]) -> None:
    """Sixty days later it is wrong about one digit in five; nobody threw dice."""
    replaced_on = Calendar().replaced_on

    assert accuracy(days[replaced_on - WEEK : replaced_on]) == pytest.approx(0.78, abs=0.02)


def test_accuracy_falls_week_by_week(days: list[Watched]) -> None:
    """A slow decay, not a cliff: no week of it is better than the one before by more than chance."""
    calendar = Calendar()
    weekly = [accuracy(days[d : d + WEEK]) for d in range(REFERENCE_DAYS, calendar.replaced_on - WEEK + 1, WEEK)]

    assert max(np.diff(weekly)) < 0.003
    assert min(np.diff(weekly)) > -0.05


def test_new_scanners_bring_it_back(days: list[Watched]) -> None:
    """The model was never the problem, so its accuracy returns."""
    assert accuracy(days[Calendar().replaced_on :]) == pytest.approx(0.94, abs=0.01)


def test_calibrated_confidence_follows_the_truth(days: list[Watched]) -> None:
    """The label-free estimate can only warn early if confidence falls as accuracy does: within 3 points, all the way."""
    calendar = Calendar()
    known = days[:REFERENCE_DAYS]
    confidence = np.concatenate([day.confidence[day.is_labelled] for day in known])
    is_right = np.concatenate([day.is_right[day.is_labelled] for day in known])
    calibration = IsotonicRegression(out_of_bounds="clip").fit(confidence, is_right)

    for first in range(0, calendar.replaced_on - WEEK + 1, WEEK):
        week = days[first : first + WEEK]
        estimate = float(calibration.predict(np.concatenate([day.confidence for day in week])).mean())
        assert estimate == pytest.approx(accuracy(week), abs=0.03)


def test_a_run_without_decay_stays_near_94_percent(reader: Reader) -> None:
    """--no-decay is the same service with scanners that never age."""
    calendar = Calendar(decays=False)
    late = [
        make_day(reader, calendar, number, DEFAULT_SEED)
        for number in range(calendar.replaced_on - WEEK, calendar.replaced_on)
    ]

    rights = np.concatenate([reader.answers(day.images) == day.digits for day in late])

    assert rights.mean() == pytest.approx(0.94, abs=0.01)
    assert not calendar.wear(calendar.replaced_on - 1).any()


def test_a_day_is_the_same_whenever_it_is_drawn(reader: Reader) -> None:
    """Days are seeded one by one, so preparing one early changes nothing."""
    calendar = Calendar()

    one, again = (make_day(reader, calendar, 40, DEFAULT_SEED) for _ in range(2))

    assert (one.images == again.images).all()
    assert (one.batch_ns == again.batch_ns).all()
    assert (np.diff(one.batch_ns) > 0).all()


def test_the_story_sends_at_least_200_000_calls(reader: Reader) -> None:
    """The promised volume, from the sizes of its days alone."""
    calendar = Calendar()

    week = sum(len(make_day(reader, calendar, number, DEFAULT_SEED)) for number in range(WEEK))

    assert week / WEEK * calendar.days > 202_000

"""The pure mathematics of references, against scikit-learn, NumPy and the definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from tocsin_alerts.statistics import (
    BELOW_EVERY_BIN,
    WEEK_H,
    Calibration,
    category_buckets,
    isotonic,
    number_buckets,
    ordinary_silence_s,
)

labelled = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(1, 60), st.integers(0, 60)), min_size=1, unique_by=lambda cell: cell[0]
).map(lambda cells: sorted((start, n, min(hits, n)) for start, n, hits in cells))


@given(labelled)
def test_calibration_is_scikit_learns_isotonic_regression(cells: list[tuple[int, int, int]]) -> None:
    """The label-free estimate rests on it; ties, single bins and reversed data included."""
    fitted = isotonic(cells)

    bins, n, hits = (np.array(column, dtype=float) for column in zip(*cells, strict=True))
    oracle = IsotonicRegression(increasing=False).fit(bins, hits / n, sample_weight=n).predict(bins)
    ours = [fitted.estimate([(int(start), 1)]) for start in bins]
    assert ours == pytest.approx(oracle.tolist())
    assert sum(fitted.labels) == n.sum()
    assert list(fitted.knots) == sorted(fitted.knots)
    assert fitted.knots[0] == 0


@given(labelled, st.integers(1, 100))
def test_merging_thin_steps_keeps_order_and_labels(cells: list[tuple[int, int, int]], least: int) -> None:
    """A step on three labels would be noise that a shift of confidence can multiply."""
    fitted = isotonic(cells, least=least)

    assert sum(fitted.labels) == sum(n for _, n, _ in cells)
    assert all(n >= least for n in fitted.labels) or len(fitted.labels) == 1
    assert list(fitted.precision) == sorted(fitted.precision, reverse=True)
    right = sum(n * share for n, share in zip(fitted.labels, fitted.precision, strict=True))
    assert right == pytest.approx(sum(hits for _, _, hits in cells))


def test_a_calibrations_estimate_of_its_own_labels_is_their_accuracy() -> None:
    """So at the reference, the estimate and the truth agree by construction."""
    cells = [(1400, 50, 50), (1700, 30, 25), (1750, 20, 19), (1990, 10, 2)]

    assert isotonic(cells).estimate([(start, n) for start, n, _ in cells]) == pytest.approx(96 / 110)


def test_no_calls_or_no_calibration_give_no_estimate() -> None:
    """Unknown is None, never zero."""
    assert isotonic([(0, 1, 1)]).estimate([]) is None
    assert Calibration(knots=(), precision=(), labels=()).estimate([(0, 5)]) is None


histograms = st.lists(
    st.tuples(st.integers(-3395, 3395), st.integers(1, 10_000)),
    min_size=1,
    max_size=300,
    unique_by=lambda cell: cell[0],
).map(sorted)


@given(histograms)
def test_buckets_hold_every_call_once(cells: list[tuple[int, int]]) -> None:
    """Each bin falls into the bucket that starts at or below it; nothing is lost or counted twice."""
    buckets = number_buckets(cells)

    edges = [edge for edge, _ in buckets]
    assert edges == sorted(set(edges))
    assert edges[0] == BELOW_EVERY_BIN
    for index, (_, count) in enumerate(buckets):
        upper = edges[index + 1] if index + 1 < len(edges) else math.inf
        assert count == sum(n for start, n in cells if edges[index] <= start < upper)
    if len(cells) > 10:
        assert len(buckets) <= 10
        assert all(count for _, count in buckets)


def test_buckets_are_deciles() -> None:
    """Even data fall into ten even buckets; a bin heavier than a decile stays alone."""
    even = number_buckets([(start, 10) for start in range(100)])
    heavy = number_buckets([(0, 900), *((start, 1) for start in range(2000, 2100))])

    assert [count for _, count in even] == [100] * 10
    assert heavy[0] == (BELOW_EVERY_BIN, 900)


def test_few_values_keep_their_own_bucket_with_room_between() -> None:
    """A new value of a discrete field must not be counted as a known one."""
    assert number_buckets([(0, 5), (1, 6), (7, 8)]) == [(BELOW_EVERY_BIN, 0), (0, 5), (1, 6), (2, 0), (7, 8), (8, 0)]


def test_rare_categories_are_pooled() -> None:
    """Under one call in a hundred a category is noise by itself."""
    assert category_buckets([("a", 990), ("b", 10), ("c", 9)]) == ([("a", 990)], 19)
    assert category_buckets([]) == ([], 0)


@pytest.mark.parametrize(
    ("rate", "hours"),
    [(80.0, 0), (4.7, 0), (4.6, 1), (1.0, 4), (0.1, 46), (1 / 168, math.ceil(math.log(100) * 168) - 1)],
)
def test_ordinary_silence_of_an_even_stream_is_the_poisson_quantile(rate: float, hours: int) -> None:
    """The longest silence that still has a chance of one in a hundred."""
    assert set(ordinary_silence_s([rate] * WEEK_H)) == {hours * 3600}


def test_ordinary_silence_spans_quiet_nights() -> None:
    """Nobody is woken because nobody calls at night."""
    means = [50.0 if 8 <= hour % 24 < 20 else 0.0 for hour in range(WEEK_H)]

    silences = ordinary_silence_s(means)

    assert (silences[8], silences[12]) == (0, 0)  # the hour that begins at 8, at 12: calls are expected in each
    assert (silences[20], silences[31]) == (3600, 12 * 3600)  # into the first and the last hour of the night
    assert ordinary_silence_s([0.0] * WEEK_H)[0] == 365 * 86_400

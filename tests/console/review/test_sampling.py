"""Chances of being drawn, and what a sample says."""

import itertools
import math
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.console.conftest import NOW

from tocsin_console.review.draw import share_of
from tocsin_console.review.estimate import LEAST, share_right, wilson
from tocsin_console.review.sampling import Cell, inclusions

CELLS = [Cell(confident, unsure, moved) for confident, unsure in ((0, 0), (1, 0), (0, 1)) for moved in (0, 1)]
WEEK = {Cell(False, False, False): 9_800, Cell(True, False, False): 1_400, Cell(False, True, False): 2_800}


@given(st.lists(st.integers(0, 5_000), min_size=6, max_size=6), st.integers(1, 200))
def test_chances_sum_to_the_size_of_the_sample(counts: list[int], size: int) -> None:
    """An estimate that divides by chances is right only if they are the real ones."""
    calls = dict(zip(CELLS, counts, strict=True))

    found = inclusions(calls, size=size)

    assert all(0 < each.probability <= 1 for each in found)
    total = math.fsum(each.probability * calls[each.cell] for each in found)
    assert total == pytest.approx(min(size, sum(counts)))


@given(st.lists(st.integers(1, 5_000), min_size=6, max_size=6), st.integers(1, 50))
def test_no_call_stands_for_more_than_four_times_what_it_would_in_a_uniform_draw(counts: list[int], size: int) -> None:
    """A call that stood for half the traffic would decide the estimate alone."""
    calls = dict(zip(CELLS, counts, strict=True))

    found = inclusions(calls, size=size)

    assert min(each.probability for each in found) >= min(1.0, 0.25 * size / sum(counts)) * (1 - 1e-9)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=60), st.integers(14, 100))
def test_parts_of_a_week_sum_to_its_sample(hours: list[int], size: int) -> None:
    """Who comes daily scores as many calls a week as who comes on Mondays."""
    ends = [NOW + timedelta(hours=sum(hours[:index])) for index in range(len(hours) + 1)]

    parts = [share_of(size, since, until) for since, until in itertools.pairwise(ends)]

    due = size * sum(hours) / 168
    assert due - 1 < sum(parts) < due + 1 + sum(each * size < 168 for each in hours)


def test_confident_answers_are_drawn_more_often_than_by_chance() -> None:
    """Of a concept that changes, the confident answers go wrong first, and a reviewer who only sees the unsure is blind."""
    found = {each.cell: each.probability for each in inclusions(WEEK, size=20)}

    assert found[Cell(True, False, False)] > 20 * found[Cell(False, False, False)]
    assert found[Cell(True, False, False)] * WEEK[Cell(True, False, False)] == pytest.approx(13.55)


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (17, 20), (160, 200)])
def test_the_interval_is_wilsons_where_all_weigh_the_same(right: int, n: int) -> None:
    """Against SciPy, on counts that have one."""
    found = share_right([(7.0, index < right) for index in range(n)])

    expected = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.value == (right / n if n >= LEAST else None)
    assert wilson(right / n, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nothing_scored_says_nothing() -> None:
    """Silence is no estimate."""
    found = share_right([])

    assert (found.value, found.lower, found.upper, found.n) == (None, None, None, 0)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Drawn with the real chances, a thousand times, where wrong answers crowd in a part that is drawn more often."""
    random.seed(5)
    wrong = {Cell(False, False, False): 0.08, Cell(True, False, False): 0.02, Cell(False, True, False): 0.45}
    truth = 1 - sum(WEEK[cell] * share for cell, share in wrong.items()) / sum(WEEK.values())
    chances = inclusions(WEEK, size=20)
    weighed = [each.probability * WEEK[each.cell] for each in chances]
    covered, values = 0, []

    for _ in range(1_000):
        drawn = random.choices(chances, weighed, k=20)
        found = share_right([(1 / each.probability, random.random() >= wrong[each.cell]) for each in drawn])
        assert found.lower is not None
        assert found.upper is not None
        covered += found.lower <= truth <= found.upper
        values.append(found.value or 0.0)

    assert covered >= 930
    assert sum(values) / len(values) == pytest.approx(truth, abs=0.01)

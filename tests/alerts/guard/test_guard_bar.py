"""From which confidence on answers may be served unseen."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin_alerts.guard_bar import MIN_LABELS, Bar, Cell, find_bar


def reviewed(*cells: tuple[float, int, int]) -> list[Cell]:
    """Make cells of confidence, verdicts and how many of them were right."""
    return [
        Cell(lowest=lowest, labels=labels, weight=labels, squares=labels, hits=hits) for lowest, labels, hits in cells
    ]


def test_the_bar_is_the_lowest_confidence_above_which_the_floor_is_met() -> None:
    """Answers above it need no second look; below it nobody has shown that they do not."""
    bar = find_bar(reviewed((0.95, 400, 392), (0.85, 200, 190), (0.7, 200, 140), (0.5, 200, 100)), 0.9)

    assert bar.bar == 0.85
    assert bar.labels == 1_000
    assert bar.share == pytest.approx(0.6)
    assert bar.lower is not None
    assert bar.precision is not None
    assert 0.9 <= bar.lower < bar.precision == pytest.approx(582 / 600)


def test_what_is_known_to_be_worse_than_the_floor_lies_below_the_lower_bar() -> None:
    """Between the two bars somebody should look; below both nobody needs to."""
    bar = find_bar(reviewed((0.95, 900, 890), (0.7, 60, 54), (0.5, 200, 100)), 0.9)

    assert (bar.bar, bar.low_bar) == (0.7, 0.7)

    unclear = find_bar(reviewed((0.95, 200, 198), (0.7, 60, 55), (0.5, 200, 100)), 0.95)

    assert (unclear.bar, unclear.low_bar) == (None, 0.7)


@pytest.mark.parametrize("cells", [[], [(0.99, MIN_LABELS - 1, MIN_LABELS - 1)], [(0.99, 60, 60)]])
def test_too_little_evidence_is_no_bar(cells: list[tuple[float, int, int]]) -> None:
    """Sixty right answers out of sixty do not show ninety per cent, when twenty cuts were tried."""
    bar = find_bar(reviewed(*cells), 0.9)

    assert (bar.bar, bar.low_bar) == (None, None)


def test_a_model_that_is_wrong_everywhere_has_only_a_lower_bar() -> None:
    """However sure it says that it is."""
    assert find_bar(reviewed((1.0, 100, 50), (0.6, 100, 40)), 0.9) == Bar(low_bar=1.0, labels=200)


def test_verdicts_of_sampled_calls_count_by_their_weight() -> None:
    """A hundred verdicts with unequal weights say less than a hundred equal ones."""
    even = find_bar([Cell(lowest=0.9, labels=100, weight=100, squares=100, hits=99)], 0.9)
    skewed = find_bar([Cell(lowest=0.9, labels=100, weight=100, squares=400, hits=99)], 0.9)

    assert even.bar == 0.9
    assert skewed.bar is None


def test_a_model_just_below_the_floor_almost_never_gets_a_bar() -> None:
    """Twenty cuts are twenty chances to be lucky; the interval allows for them: at most one feature in twenty."""
    chance = random.Random(7)

    def one() -> bool:
        sizes = [(1 - 0.02 * step, 40) for step in range(20)]
        cells = [(lowest, n, sum(chance.random() < 0.895 for _ in range(n))) for lowest, n in sizes]
        return find_bar(reviewed(*cells), 0.9).bar is not None

    assert sum(one() for _ in range(100)) <= 5


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 200), st.floats(0, 1)).map(lambda c: (c[0], c[1], int(c[1] * c[2]))),
        max_size=30,
    ),
    floor=st.floats(0.01, 0.99),
)
def test_whatever_was_reviewed_the_bars_are_in_order(cells: list[tuple[float, int, int]], floor: float) -> None:
    """A call cannot be both good enough to serve and known to be bad."""
    bar = find_bar(reviewed(*cells), floor)

    if bar.bar is not None:
        assert bar.lower is not None
        assert bar.lower >= floor
        assert bar.low_bar is None or bar.low_bar <= bar.bar

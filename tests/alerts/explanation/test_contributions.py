"""Contributions that sum to what they explain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_alerts.explanation.contributions import Part, merged, of_parts, of_shift

COUNT = st.integers(0, 10_000)
ERROR = st.floats(0, 1)
PARTS = st.lists(st.builds(Part, then_calls=COUNT, then_error=ERROR, now_calls=COUNT, now_error=ERROR), min_size=1)


@given(PARTS)
def test_the_parts_sum_to_the_change(parts: list[Part]) -> None:
    """Nothing is explained twice, nothing is left over."""
    then, now = sum(part.then_calls for part in parts), sum(part.now_calls for part in parts)

    found = of_parts({str(at): part for at, part in enumerate(parts)})

    if not then or not now:
        assert found == []
        return
    before = sum(part.then_calls * part.then_error for part in parts) / then
    after = sum(part.now_calls * part.now_error for part in parts) / now
    assert sum(each.points for each in found) == pytest.approx(after - before, abs=1e-9)


def test_the_part_that_broke_is_named() -> None:
    """One device of two answers worse: all of the loss is its."""
    first, second = of_parts(
        {
            "phone": Part(then_calls=500, then_error=0.05, now_calls=500, now_error=0.25),
            "desk": Part(then_calls=500, then_error=0.05, now_calls=500, now_error=0.05),
        }
    )

    assert (first.name, first.points) == ("phone", pytest.approx(0.10))
    assert second.points == pytest.approx(0.0)


def test_a_shift_counts_by_how_bad_each_value_was() -> None:
    """More of what was always hard explains a loss; the same values answered worse do not."""
    shifted = [
        Part(then_calls=900, then_error=0.02, now_calls=500, now_error=0.02),
        Part(then_calls=100, then_error=0.30, now_calls=500, now_error=0.30),
    ]
    broken = [Part(then_calls=900, then_error=0.02, now_calls=900, now_error=0.5)]

    assert of_shift(shifted) == pytest.approx(0.4 * 0.28)
    assert of_shift(broken) == 0.0
    assert of_shift([]) == 0.0


def test_a_value_that_was_never_seen_counts_as_it_is() -> None:
    """A new category has no error of before."""
    cells = [
        Part(then_calls=100, then_error=0.1, now_calls=50, now_error=0.1),
        Part(then_calls=0, then_error=0.0, now_calls=50, now_error=0.6),
    ]

    assert of_shift(cells) == pytest.approx(-0.05 + 0.3)


@given(st.dictionaries(st.integers(-3_000, 3_000), PARTS.map(lambda parts: parts[0]), max_size=60))
def test_merging_bins_loses_no_call(bins: dict[int, Part]) -> None:
    """Buckets are for enough calls in each, not for fewer calls."""
    found = merged(bins)

    assert sum(part.now_calls for part in found) == sum(part.now_calls for part in bins.values())
    assert sum(part.then_calls for part in found) == sum(part.then_calls for part in bins.values())

"""Values of any kind become something an attribute can hold."""

import datetime as dt
import enum
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin._calls import values


class Colour(enum.Enum):
    """A host's own enumeration."""

    RED = "red"


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (1, 1),
        (2.5, 2.5),
        (True, True),
        ("a", "a"),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.array([4.0]), 4.0),
        (np.array(5), 5),
        (Decimal("1.5"), 1.5),
        (Fraction(1, 4), 0.25),
        (Colour.RED, "red"),
        (dt.date(2026, 3, 2), "2026-03-02"),
        (pd.Timestamp("2026-03-02"), "2026-03-02T00:00:00"),
        (2**70, float(2**70)),
        (None, None),
        (math.nan, None),
        (np.float64("nan"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (math.inf, None),
        (10**400, None),
    ],
)
def test_a_value_is_coerced_to_what_it_means(given_value: Any, expected: Any) -> None:
    """Evaluators need numbers as numbers, and nothing as nothing."""
    coerced = values.scalar(given_value, {}, "field")

    assert coerced == expected
    assert type(coerced) is type(expected)


def test_infinities_and_huge_integers_are_flagged_as_well_as_left_out() -> None:
    """Missing and infinite are different faults of a pipeline."""
    flags: values.Flags = {}

    values.scalar(math.inf, flags, "ratio")
    values.scalar(10**400, flags, "count")

    assert list(flags) == ["not_finite:ratio", "not_finite:count"]


def test_a_large_container_is_described_briefly() -> None:
    """Writing out ten million items would stop the host for seconds."""
    flags: values.Flags = {}

    described = values.scalar(list(range(10_000_000)), flags, "history")

    assert isinstance(described, str)
    assert len(described) < 2_000
    assert list(flags) == ["described:history"]


@pytest.mark.parametrize("one", [3, 3.0, np.int32(3), np.float64(3), "3", np.str_("3"), Decimal(3)])
def test_a_class_is_written_the_same_wherever_it_comes_from(one: Any) -> None:
    """A label read from a CSV as 3.0 must match the prediction 3, or accuracy reads zero."""
    assert values.label_text(one) == "3"


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=200))
def test_any_text_becomes_utf_8(written: str) -> None:
    """One lone surrogate must not lose a batch in the encoder."""
    values.text(written, {}, "output").encode("utf-8")


@given(st.text(min_size=1, max_size=8), st.integers(0, 90_000))
def test_text_never_exceeds_its_limit_in_bytes(written: str, repeats: int) -> None:
    """The limit is one of bytes on the wire, not of characters."""
    flags: values.Flags = {}

    cut = values.text(written * repeats, flags, "output")

    assert len(cut.encode("utf-8")) <= values.TEXT_LIMIT
    assert (cut == written * repeats) != ("truncated:output" in flags)


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none(), st.decimals(), st.binary()))
def test_what_comes_out_can_be_sent(value: Any) -> None:
    """int64, finite doubles, text and booleans: nothing else survives OTLP and the store."""
    coerced = values.scalar(value, {}, "field")

    assert coerced is None or isinstance(coerced, (str, bool, int, float))
    if isinstance(coerced, float):
        assert math.isfinite(coerced)
    if isinstance(coerced, int):
        assert -(2**63) <= coerced < 2**63


def test_a_call_has_at_most_so_many_flags() -> None:
    """A hostile record must not make its own flags the largest thing on the span."""
    flags: values.Flags = {}

    for at in range(1_000):
        values.add_flag(flags, f"flag,{at}")

    assert len(flags) == 32
    assert not any("," in flag for flag in flags)

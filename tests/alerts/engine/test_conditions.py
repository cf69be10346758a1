"""The condition language."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_alerts.conditions import Condition, ConditionError, sample_names
from tocsin_alerts.records import Sample


def names(**given: float | None) -> dict[str, float | None]:
    """Gather the names of a sample and a plan that say only this."""
    facts: dict[str, Any] = {"lower": None, "upper": None, "baseline": None, "value": None, "n": 100}
    made = {key: given.get(key, fact) for key, fact in facts.items()}
    sample = Sample(project="p", use_case="u", labels={}, slot=datetime(2026, 3, 1, tzinfo=UTC), **made)
    plan = {"floor": given.get("floor"), "budget_per_day": given.get("budget_per_day")}
    return dict(sample_names(sample, plan))


@pytest.mark.parametrize(
    ("text", "facts", "verdict"),
    [
        ("upper < floor", {"upper": 0.88, "floor": 0.9}, True),
        ("upper < floor", {"upper": 0.9, "floor": 0.9}, False),
        ("drop >= 0.01 and z <= -3", {"value": 0.9, "baseline": 0.94, "lower": 0.89, "upper": 0.91}, True),
        ("value > 2 * budget_per_day", {"value": 41, "budget_per_day": 20}, True),
        ("0.1 <= value < 0.25", {"value": 0.25}, False),
        ("not (value > 1) or baseline < 0", {"value": 0.5}, True),
        ("-value < -(1 - 0.5) / 2", {"value": 0.3}, True),
    ],
)
def test_a_condition_reads_as_it_is_written(text: str, facts: dict[str, float], verdict: bool) -> None:
    """Rules are read aloud by teams: precedence and names are Python's."""
    assert Condition.parse(text).holds(names(**facts)) is verdict


@pytest.mark.parametrize(
    ("text", "facts", "verdict"),
    [
        ("upper < floor", {"upper": 0.5}, None),
        ("value > 1 and upper < floor", {"value": 0.5, "upper": 0.5}, False),
        ("value > 1 or upper < floor", {"value": 0.5, "upper": 0.5}, None),
        ("value > 1 or upper < floor", {"value": 1.5}, True),
        ("not upper < floor", {"upper": 0.5}, None),
        ("value / baseline > 2", {"value": 1, "baseline": 0}, None),
        ("value > 0.1", {"value": math.nan}, None),
        ("value > 0.1", {"value": math.inf}, None),
        ("z < -3", {"value": 0.9, "baseline": 0.94, "lower": 0.9, "upper": 0.9}, None),
    ],
)
def test_what_is_unknown_neither_fires_nor_clears(text: str, facts: dict[str, float], verdict: bool | None) -> None:
    """A NULL sample, a plan without floor and a division by zero are no evidence either way."""
    assert Condition.parse(text).holds(names(**facts)) is verdict


def test_a_raised_threshold_is_read_as_one_number() -> None:
    """Whoever is woken reads what was asked for, not how it was worked out."""
    condition = Condition.parse("z <= -3.5 - strict / 3.5 and value >= 4 + strict")
    facts = {**names(value=5.0), "z": -4.2, "strict": 0.7}

    assert condition.holds(facts) is True
    assert condition.explain(facts) == "z -4.2 <= -3.7 and value 5 >= 4.7"


def test_the_reason_shows_the_values() -> None:
    """Whoever is woken reads why, not the rule's source."""
    condition = Condition.parse("drop >= 0.01 and (z <= -3 or upper < baseline - 0.02)")
    facts = names(value=0.919, baseline=0.94, lower=0.9092, upper=0.9288)

    assert condition.explain(facts) == "drop 0.021 >= 0.01 and z -4.2 <= -3"
    assert Condition.parse("upper < floor").explain(names(upper=0.884, floor=0.9)) == "upper 0.884 < floor 0.9"
    assert Condition.parse("upper < floor").explain(names(upper=0.884)) == "upper 0.884 < floor unknown"


def test_the_reason_shows_only_what_decided() -> None:
    """Arms of an "or" that did not hold, and of an "and" that still does, would only confuse."""
    condition = Condition.parse("value > 1 and (baseline > 1 or n > 99 or n > 50)")

    assert condition.explain(names(value=2, baseline=0)) == "value 2 > 1 and (n 100 > 99 or n 100 > 50)"
    assert condition.explain(names(value=0.5, baseline=0)) == "value 0.5 > 1"


def test_the_reason_keeps_the_arithmetic_readable() -> None:
    """Parentheses where they change the result, and nowhere else."""
    facts = names(value=2.0, baseline=4.0)

    for text in (
        "value + 1 * 2 > 0",
        "(value + 1) * 2 > 0",
        "value - (baseline - 1) < 0",
        "value / (baseline * 2) > 0",
    ):
        shown = text.replace("value", "value 2").replace("baseline", "baseline 4")
        assert Condition.parse(text).explain(facts) == shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("uper < floor", "did you mean 'upper'"),
        ("__import__('os') == 1", "expected only comparisons"),
        ("value.real > 1", "expected only comparisons"),
        ("[value][0] > 1", "expected only comparisons"),
        ("value ** 9 > 1", "expected only comparisons"),
        ("'a' < value", "expected only comparisons"),
        ("True < value", "expected only comparisons"),
        ("value in baseline", "expected only comparisons"),
        ("value", "expected a comparison"),
        ("value + 1", "expected a comparison"),
        ("value > 1 if n > 1 else value < 1", "expected a comparison"),
        ("value >", "expected a condition such as"),
        ("", "expected a condition such as"),
        ("(" * 5000, "expected a condition such as"),
    ],
)
def test_anything_else_is_refused(text: str, says: str) -> None:
    """A rule file is configuration, not code: no calls, attributes, powers or strings."""
    with pytest.raises(ConditionError, match=says):
        Condition.parse(text)


def test_a_condition_knows_the_columns_it_reads() -> None:
    """So that a rule over an evaluator without an interval is refused when it is loaded, not when it should fire."""
    assert Condition.parse("z < -3 and floor > n").columns() == {"value", "baseline", "lower", "upper", "n"}


@given(st.text(max_size=40))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    """Whatever stands in a YAML file, the loader gives a finding, never a crash."""
    try:
        condition = Condition.parse(text)
    except ConditionError:
        return
    condition.explain(names(value=1.0))
    assert condition.holds(names()) in (True, False, None)

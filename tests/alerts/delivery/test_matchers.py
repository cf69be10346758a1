"""Matchers of alerts mean what Alertmanager's mean."""

from typing import Any

import pytest

from tocsin_alerts.matchers import Matcher, matchable, narrow

ALERT = matchable(
    project="p",
    use_case="triage",
    rule="latency",
    severity="page",
    labels={"model_version": "7.1", "segment_name": "device", "segment_value": "a", "rule": "forged"},
)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("rule=latency", True),
        ('rule="latency"', True),
        ("rule = forged", False),
        ("rule!=latency", False),
        ("rule!=forged", True),
        ("rule=~lat.*", True),
        ("rule=~lat", False),  # the whole value
        ("rule!~lat.*|x", False),
        ("segment=device=a", True),
        ("segment_value=~a|b", True),
        ("field=", True),  # missing is empty
        ("field!=", False),
        ("field=~.+", False),
        ("model_version=~7\\..", True),
    ],
)
def test_a_matcher_matches(text: str, matches: bool) -> None:
    """People know these from Alertmanager; a label of an evaluator never stands for the rule's name."""
    assert Matcher.parse(text).matches(ALERT) is matches


@pytest.mark.parametrize(
    "text", ["", "rule", "rule~x", "rule==", "=x", "1a=x", "rule=~(", "rule=~(a+)+", "rule=" + "x" * 600]
)
def test_what_is_no_matcher_is_refused(text: Any) -> None:
    """A pattern that may take for ever would stop every page."""
    if text == "rule==":
        assert Matcher.parse(text).value == "="
        return
    with pytest.raises(ValueError, match="expected"):
        Matcher.parse(text)


@pytest.mark.parametrize(
    ("texts", "is_narrow"),
    [
        (["rule=latency"], True),
        (["rule!=x", "severity=ticket"], True),
        (["rule=~.*"], False),
        (["rule=~.+"], False),
        (["rule=~x|.*"], False),
        (["rule!=x"], False),
        (["project=p"], False),
        ([], False),
    ],
)
def test_what_matches_everything_is_known(texts: list[str], is_narrow: bool) -> None:
    """Nobody may silence everything, however it is spelled."""
    assert narrow([Matcher.parse(text) for text in texts]) is is_narrow

"""What the last run of each evaluator was: nothing seen is neither nothing done nor all well."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tocsin_console.heartbeats import heartbeats, in_words, of_itself

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def row(**said: Any) -> dict[str, Any]:
    """Make one as the store gives it."""
    made = {"rule": "volume", "last_slot": AT, "last_at": AT, "last_state": "done", "was_asked": 1}
    return {**made, "last_samples": 3, "last_read": 500, **said}


@pytest.mark.parametrize(
    ("said", "did"),
    [
        ({}, "spoke"),
        ({"last_samples": 0}, "saw nothing"),
        ({"last_samples": 0, "was_asked": 0, "last_read": None}, "not asked"),
        ({"last_state": "failed", "last_samples": 0}, "failed"),
    ],
)
def test_a_run_is_one_of_four(said: dict[str, Any], did: str) -> None:
    """A green light without evidence is an outage."""
    [beat] = heartbeats([row(**said)])

    assert beat["did"] == did


def test_one_line_says_how_many_of_each() -> None:
    """For whoever looks at a quiet morning and wonders."""
    beats = heartbeats([row(), row(rule="null-rate", last_samples=0, last_read=None)])

    assert in_words(beats) == (
        "2 evaluators, in their last runs: 1 spoke, 1 saw nothing, 0 not asked, 0 failed; 500 rows read; "
        "the last at 2026-03-02 12:00:00"
    )
    assert "two days" in in_words([])


def test_alerts_of_tocsin_itself_are_picked_out() -> None:
    """They belong to no feature, and must not be missing because of that."""
    facts = {
        "labels": {},
        "severity": "page",
        "state": "firing",
        "since": AT,
        "value": 1.0,
        "reason": "",
        "incident": "",
    }

    found = of_itself(
        [{**facts, "rule": name, "use_case": use_case} for name, use_case in (("a", "tocsin"), ("b", "shop"))]
    )

    assert [each["rule"] for each in found] == ["a"]

"""Why it fell, from calls in a store."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store
from tests.alerts.evaluators.test_rollups import insert_calls

from tocsin_alerts.explanation.explain import Explanation, explain
from tocsin_alerts.explanation.words import sentences

BROKE = MONDAY - 10 * DAY


def look(kept: Store) -> Explanation:
    """Explain as of Monday."""
    return explain(kept.database, project=kept.project, use_case="triage", slot=MONDAY)


def calls(kept: Store, **how: Any) -> None:
    """Forty days of 120 calls; from a day on, one device is unsure and its images are dark."""
    random = np.random.default_rng(7)
    rows = []
    for index in range(40 * 120):
        at = MONDAY - 40 * DAY + timedelta(hours=index // 5, seconds=index % 5 * 600)
        is_phone = bool(random.random() < 0.5)
        is_broken = at >= BROKE and is_phone
        dark = is_broken and how.get("data", True)
        row = {
            "started_at": at,
            "input_numbers": {"ink": float(random.normal(9 if dark else 5, 0.5))},
            "input_strings": {"device": "phone" if is_phone else "desk"},
            "segments": {"device": "phone" if is_phone else "desk"},
            "confidence": float(1 - random.beta(2, 4 if is_broken else 30)),
            "model_version": "m2" if at >= BROKE and how.get("model") else "m1",
        }
        rows.append(row)
    insert_calls(kept, rows)


def test_of_nothing_there_is_nothing_to_say(store: Store) -> None:
    """The first page of a new use case must still be written."""
    found = look(store)

    assert (found.onset, found.loss, found.segments, found.causes) == (None, None, (), ())
    assert sentences(found) == ()


def test_it_names_the_day_the_segment_and_the_cause(store: Store) -> None:
    """What somebody woken at night asks first."""
    calls(store, model=True)

    found = look(store)

    assert found.onset is not None
    assert abs((found.onset.day - BROKE.date()).days) <= 1
    assert (found.onset.shape, found.onset_by) == ("at once", "estimate")
    assert found.segments[0].name == "device = phone"
    assert found.loss is not None
    assert found.segments[0].points == pytest.approx(found.loss, abs=0.02)
    assert found.new_versions == (f"m2, since {BROKE:%Y-%m-%d}",)
    assert found.release is not None
    assert (found.release.version, found.release.since) == ("m2", BROKE)
    assert "model" in found.causes
    assert any("device = phone" in line for line in sentences(found))


def test_a_field_that_shifted_to_what_was_hard_accounts_for_it(store: Store) -> None:
    """Dark images were always hard; there are more of them now."""
    rows = [
        {
            "started_at": MONDAY - 30 * DAY + at * HOUR + timedelta(seconds=60 * each),
            "input_strings": {"light": "dark" if each % 10 < (5 if at >= 20 * 24 else 1) else "bright", "page": "A4"},
            "confidence": 0.55 if each % 10 < (5 if at >= 20 * 24 else 1) else 0.97,
        }
        for at in range(30 * 24)
        for each in range(10)
    ]
    insert_calls(store, rows)

    found = look(store)

    assert [each.name for each in found.fields] == ["light"]
    assert found.fields[0].points == pytest.approx(0.4 * 0.42, abs=0.01)
    assert found.loss == pytest.approx(0.4 * 0.42, abs=0.01)


def test_labels_that_knew_before_the_model_doubted_date_it(store: Store) -> None:
    """A concept that changes is seen by labels alone: nothing else changed, and that is said."""
    insert_calls(
        store,
        [{"started_at": MONDAY - 40 * DAY + at * HOUR, "confidence": 0.9} for at in range(40 * 24)],
    )
    store.outcomes(
        [
            {
                "started_at": MONDAY - (40 - day) * DAY + HOUR,
                "observed_at": MONDAY,
                "correct": int(each % 20 >= (8 if day >= 25 else 1)),
            }
            for day in range(40)
            for each in range(40)
        ]
    )

    found = look(store)

    assert found.onset is not None
    assert (found.onset.day, found.onset_by) == (date(2026, 2, 15), "labels")
    assert found.causes == ()
    assert found.release is not None
    assert (found.release.version, found.release.looked_days) == ("", 60)
    assert sentences(found)[-1].startswith("Neither versions, inputs nor traffic changed")


def test_what_moved_first_comes_first(store: Store) -> None:
    """By the midnights at which it had moved without a break; what has come back is left out."""
    psi = {
        "ink": [0.0, 0.0, 0.0, 0.3, 0.4],
        "edge": [0.0, 0.2, 0.2, 0.2, 0.2],
        "came_back": [0.5, 0.5, 0.5, 0.5, 0.0],
        "blinked": [0.5, 0.5, None, 0.2, 0.2],
    }
    store.insert(
        "evaluations",
        [
            {
                "evaluator": "input_psi",
                "labels": {"field": field, "model_version": "m1"},
                "slot": MONDAY - (4 - at) * DAY,
                "value": value,
                "n": 500,
                "evaluated_at": MONDAY,
            }
            for field, values in psi.items()
            for at, value in enumerate(values)
        ],
    )

    found = look(store)

    assert [each.field for each in found.first_moved] == ["edge", "ink", "blinked"]
    assert found.first_moved[0].since == date(2026, 2, 26)
    assert found.causes == ("data",)

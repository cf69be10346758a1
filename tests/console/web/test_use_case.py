"""The pages of one use case, its quality and its drift, over a running API with samples as the engine stores them."""

import csv
import io
import json
from datetime import timedelta
from itertools import count
from typing import Any, Final
from urllib.parse import quote

import pytest
from tests.console.conftest import NOW
from tests.console.web.test_overview import HOSTILE, status, told
from tests.console.web.test_pages import get

from tocsin_console.at_a_glance import bounds_of
from tocsin_console.field_drift import picture
from tocsin_console.web.pictures import bars
from tocsin_console.web.use_case import calibration_figure, quality_figure

_NUMBER: Final = count()
MIDNIGHT: Final = NOW.replace(hour=0)


@pytest.fixture
def use_case(running: Any) -> str:
    """A hostile name of its own for each test, which has calls, samples and a reference."""
    name = f"{HOSTILE}{next(_NUMBER)}"
    running.statuses[:] = [status(name, "drifting")]
    insert = running.database.insert
    insert(
        "evaluations",
        [
            *(told("accuracy", name, days_ago=ago, value=(90 + ago) / 100) for ago in range(4)),
            *(told("estimated_accuracy", name, days_ago=ago, value=0.93) for ago in range(4)),
            told("segment_accuracy", name, labels={"segment_name": "device", "segment_value": HOSTILE}, value=0.7, baseline=0.9, upper=0.75),
            told("segment_accuracy", name, labels={"segment_name": "device", "segment_value": "b"}, value=0.95, baseline=0.9),
            told("input_psi", name, labels={"field": "colour"}, value=0.3, lower=0.2, upper=0.4),
            told("input_psi", name, labels={"field": "ink"}, value=0.01, lower=0.0, upper=0.02),
            told("new_category", name, labels={"field": "colour"}, value=0.25, baseline=0.0),
            told("confidence_shift", name, value=0.4, baseline=0.2),
        ],
    )  # fmt: skip
    profile = {
        "project": "default", "use_case": name, "model_version": "m", "prompt_version": "", "until": MIDNIGHT - timedelta(days=30),
        "frozen_at": NOW,
    }  # fmt: skip
    insert(
        "reference_profiles",
        [
            {**profile, "kind": "input", "field": "colour", "edges": [], "names": ["red", "blue"], "figures": [60.0, 40.0, 0.0], "n": 100},
            {**profile, "kind": "input", "field": "ink", "edges": [-32768, 2000], "names": [], "figures": [50.0, 50.0, 0.0], "n": 100},
            {**profile, "kind": "null", "field": "", "edges": [], "names": ["ink"], "figures": [0.1], "n": 100},
        ],
    )  # fmt: skip
    cell = {
        "project": "default", "use_case": name, "hour": MIDNIGHT - timedelta(hours=5), "model_version": "m", "prompt_version": "",
        "segment_name": "", "segment_value": "",
    }  # fmt: skip
    insert(
        "input_histogram_1h",
        [
            {**cell, "kind": "category", "field": "colour", "bin": 0, "category": "red", "n": 30},
            {**cell, "kind": "category", "field": "colour", "bin": 0, "category": HOSTILE, "n": 10},
            {**cell, "kind": "number", "field": "ink", "bin": 2100, "category": "", "n": 30},
            {**cell, "kind": "null", "field": "ink", "bin": 0, "category": "", "n": 10},
        ],
    )
    return name


def address(page: str, name: str) -> str:
    """The address of a page of a use case."""
    return f"/{page}/default/{quote(name, safe='/')}"


def outcome(name: str, call_id: str, **said: Any) -> dict[str, Any]:
    """A label of a call."""
    known = {
        "project": "default", "use_case": name, "call_id": call_id, "started_at": NOW - timedelta(days=2), "model_version": "m",
        "prompt_version": "", "served_by": "model", "is_probe": 0, "predicted_label": "cat", "confidence": 0.9, "weight": 1.0,
        "segments": {}, "kind": "ground_truth", "source": "s", "outcome_id": call_id, "observed_at": NOW, "label": "dog", "correct": 0,
        "author": "", "comment": "", "received_at": NOW, "ingested_at": NOW, "segment": "",
    }  # fmt: skip
    return {**known, **said}


def test_a_use_case_shows_its_quality_segments_and_past(running: Any, use_case: str) -> None:
    """It is where an owner and on-call meet: both see the same figures, and so does who takes the JSON."""
    page = get(running.address, address("use-cases", use_case))
    document = json.loads(get(running.address, address("use-cases", use_case) + ".json")[2])
    rows = list(csv.DictReader(io.StringIO(get(running.address, address("use-cases", use_case) + ".csv")[2])))

    assert page[0] == 200
    assert "<script>alert" not in page[2]
    assert "drifting" in page[2]
    assert {row["measure"] for row in document["quality"]} == {"accuracy", "estimated_accuracy"}
    assert [row["value_of"] for row in document["segments"]] == [HOSTILE, "b"]
    assert document["segments"][0]["below_reference"] == pytest.approx(0.2)
    assert len(rows) == 8


def test_calls_that_turned_out_wrong_come_surest_first_by_the_last_word(running: Any, use_case: str) -> None:
    """A thumb down that the truth has overruled is no example of a wrong answer."""
    running.database.insert(
        "outcomes",
        [
            outcome(use_case, "sure", confidence=0.99, label=HOSTILE),
            outcome(use_case, "unsure", confidence=0.6),
            outcome(use_case, "overruled", confidence=0.999, kind="feedback", outcome_id="down", label=""),
            outcome(use_case, "overruled", confidence=0.999, label="cat", correct=1),
            outcome(use_case, "old", confidence=1.0, started_at=NOW - timedelta(days=60)),
        ],
    )

    page = get(running.address, address("use-cases", use_case))[2]
    document = json.loads(get(running.address, address("use-cases", use_case) + ".json")[2])

    assert [row["call_id"] for row in document["confidently_wrong"]] == ["sure", "unsure"]
    assert "/call?project=default&amp;use_case=" in page
    assert "<script>alert" not in page


def test_a_chart_is_drawn_of_what_evaluators_said(running: Any, use_case: str) -> None:
    """Nothing is evaluated again to draw it."""
    drawn = get(running.address, address("charts/quality", use_case) + ".svg?days=90")
    none = get(running.address, address("charts/calibration", use_case) + ".svg")

    assert (drawn[0], drawn[1]["content-type"]) == (200, "image/svg+xml")
    assert none[0] == 404


@pytest.mark.parametrize("days", ["0", "-1", "x", "99999", "²"])
def test_days_that_are_none_are_refused_in_a_sentence(running: Any, use_case: str, days: str) -> None:
    """A mistyped address is no server error."""
    answer = get(running.address, address("use-cases", use_case) + f".json?days={quote(days)}", {"accept": "*/*"})

    assert (answer[0], "expected days from 1" in answer[2]) == (400, True)


def test_a_use_case_of_which_nothing_is_known_says_what_fills_its_pages(running: Any) -> None:
    """A page of dashes is closed and not opened again; a name in a command must not be one."""
    running.statuses[:] = [status("planned; rm -rf x", "collecting")]

    quality, drift = (get(running.address, address(page, "planned; rm -rf x")) for page in ("use-cases", "drift"))

    assert (quality[0], drift[0]) == (200, 200)
    assert "has a plan but no calls" in quality[2]
    assert "tocsin review draw --use-case &#39;planned; rm -rf x&#39;" in quality[2]
    assert "tocsin reference load FILE --use-case &#39;planned; rm -rf x&#39;" in drift[2]


def test_a_use_case_that_there_is_not_says_which_there_are(running: Any, use_case: str) -> None:
    """Links outlive what they point to."""
    answer = get(running.address, "/use-cases/default/none")

    assert answer[0] == 400
    assert "expected a use case with calls or a plan" in answer[2]
    assert "<script>alert" not in answer[2]
    assert use_case


def test_drift_shows_what_moved_first_and_says_it_in_words(running: Any, use_case: str) -> None:
    """A number of nats tells nobody anything; a new value by its name does."""
    page = get(running.address, address("drift", use_case))
    document = json.loads(get(running.address, address("drift", use_case) + ".json")[2])
    colour, ink = document["fields"]

    assert page[0] == 200
    assert [colour["field"], ink["field"]] == ["colour", "ink"]
    assert (colour["words"], colour["newcomers"]) == (["moved", "new values"], [HOSTILE])
    assert [(each["name"], each["now"]) for each in colour["picture"]] == [
        ("red", 0.75),
        ("blue", 0.0),
        ("others", 0.25),
    ]
    assert (ink["words"], ink["null_share"], ink["null_share_then"]) == (["missing more often"], 0.25, 0.1)
    assert document["answers"][0]["words"] == "as its days differ anyway"
    assert "<script>alert" not in page[2]


def test_fine_bins_are_joined_to_a_dozen_that_add_up() -> None:
    """A picture of 138 bins shows nothing at 160 pixels."""
    bins = {
        "what": "latency",
        "starts": [1.02**n for n in range(138)],
        "names": [],
        "figures": [10.0] * 138,
        "seen": [5.0] * 138,
        "calls": 690,
    }

    drawn = picture(bins)

    assert len(drawn) == 12
    assert sum(each["then"] for each in drawn) == pytest.approx(1)
    assert sum(each["now"] for each in drawn) == pytest.approx(1)
    assert drawn[0]["name"].startswith("below")


def test_confidence_is_drawn_from_unsure_to_sure() -> None:
    """It is kept as doubt, which nobody reads."""
    doubt = {
        "what": "confidence",
        "starts": [None, 0.1, 0.4],
        "names": [],
        "figures": [8.0, 1.0, 1.0],
        "seen": [6, 2, 2],
        "calls": 10,
    }

    assert [each["name"] for each in picture(doubt)] == ["below 0.6", "0.6 to 0.9", "from 0.9"]


def test_bars_say_what_they_show_without_being_seen() -> None:
    """Colour and height are nothing to a screen reader, and a name may be markup."""
    drawn = str(bars([{"name": HOSTILE, "then": 0.5, "now": 0.1}, {"name": "b", "then": 0.5, "now": 0.9}], "x"))

    assert "x: " in drawn
    assert "from 50.0% to 10.0%" in drawn
    assert "<script" not in drawn
    assert " style=" not in drawn


def past(**changes: Any) -> dict[str, Any]:
    """Three days of quality, the second unknown."""
    sample = {"measure": "accuracy", "value": 0.9, "lower": 0.8, "upper": 0.95}
    quality = [{**sample, "slot": MIDNIGHT - timedelta(days=ago)} for ago in (2, 0)]
    return {"quality": quality, "releases": [], "reference": None, "incidents": [], **changes}


def test_a_day_without_a_sample_is_a_gap_in_the_chart() -> None:
    """A line across it would say that somebody measured."""
    drawn = quality_figure(past(), floor=0.85)

    assert drawn is not None
    assert [row["value"] for row in drawn["rows"]] == [0.9, None, 0.9]
    assert drawn["lines"] == [{"value": 0.85, "name": "floor 85%"}]


def test_later_releases_incidents_and_the_reference_are_marked() -> None:
    """What changed at about that time is the first question."""
    releases = [
        {"model_version": name, "prompt_version": "", "first_hour": MIDNIGHT - timedelta(days=ago)}
        for name, ago in (("a", 90), (HOSTILE, 1))
    ]
    incidents = [{"since": MIDNIGHT, "rules": ["accuracy-drop"], "severity": "page"}]
    reference = {"since": MIDNIGHT - timedelta(days=60), "until": MIDNIGHT - timedelta(days=1)}

    drawn = quality_figure(past(releases=releases, incidents=incidents, reference=reference), floor=None)

    assert drawn is not None
    assert [mark["tone"] for mark in drawn["marks"]] == ["quiet", "wrong"]
    assert drawn["marks"][1]["name"] == "! accuracy-drop"
    assert drawn["shades"][0]["name"] == "reference"


def test_too_little_is_no_chart() -> None:
    """One point is no trend, and none no calibration."""
    assert quality_figure(past(quality=past()["quality"][:1]), floor=None) is None
    assert calibration_figure([], []) is None


def test_bounds_are_those_of_the_rule_in_force() -> None:
    """A team that moved its threshold reads its own on the page."""
    own = bounds_of([{"evaluator": "input_psi", "when": "value >= 0.2", "clear": "value < 0.15"}])
    odd = bounds_of([{"evaluator": "input_psi", "when": "lower > baseline", "clear": None}])

    assert (own.moved, own.moving, odd.moved) == (0.2, 0.15, 0.1)

"""The overview over a running API: rows, their order, notices, and what stands there before anything has come."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.console.conftest import LOOP, NOW
from tests.console.web.test_pages import get

from tocsin_alerts.status import Standing, UseCaseStatus
from tocsin_console.at_a_glance import headline, psi_words, spark_of
from tocsin_console.no_calls import why_no_calls

HOSTILE = '"><script>alert(1)</script>\u202e/../x'


def status(use_case: str, verdict: Standing = "right", **changes: Any) -> UseCaseStatus:
    """How a use case stands."""
    known = UseCaseStatus(
        project="default",
        use_case=use_case,
        verdict=verdict,
        reason=f"because {use_case}",
        accuracy=None,
        estimate=None,
        alerts=(),
        unanswered=0,
        evaluated_through=NOW,
    )
    return replace(known, **changes)


def told(
    evaluator: str, use_case: str, *, days_ago: int = 0, labels: Mapping[str, str] | None = None, **figures: Any
) -> dict[str, Any]:
    """A sample as the engine stores it, at a midnight."""
    sample: dict[str, Any] = {"value": 0.9, "lower": 0.88, "upper": 0.92, "baseline": None, "n": 400, "effect": None}
    slot = NOW.replace(hour=0) - timedelta(days=days_ago)
    where = {
        "project": "default",
        "use_case": use_case,
        "evaluator": evaluator,
        "labels": dict(labels or {}),
        "slot": slot,
    }
    return {**where, **sample, **figures, "evaluator_hash": "h", "evaluated_at": slot}


@pytest.mark.usefixtures("empty")
def test_those_that_need_somebody_come_first_with_their_figures(running: Any) -> None:
    """Among a hundred use cases nobody reads to the end."""
    running.statuses[:] = [status("fine"), status(HOSTILE, "wrong"), status("new", "collecting")]
    running.database.insert(
        "evaluations",
        [
            *(told("accuracy", HOSTILE, days_ago=ago, value=(80 + ago) / 100) for ago in range(3)),
            told("latency", HOSTILE, labels={"quantile": "p95"}, value=120.0),
            told("latency", HOSTILE, labels={"quantile": "p50"}, value=20.0),
            told("input_psi", HOSTILE, labels={"field": "a"}, value=0.02),
            told("input_psi", HOSTILE, labels={"field": "b"}, value=0.3),
            told("cost_forecast", HOSTILE, labels={"currency": "EUR"}, value=80.0, baseline=60.0),
            told("estimated_accuracy", "fine", value=0.95),
        ],
    )

    page, document = get(running.address, "/")[2], json.loads(get(running.address, "/overview.json")[2])
    rows = list(csv.DictReader(io.StringIO(get(running.address, "/overview.csv")[2])))

    first = document["use_cases"][0]
    assert [row["use_case"] for row in document["use_cases"]] == [HOSTILE, "new", "fine"]
    assert document["headline"].startswith("1 of 3 use cases are right")
    assert (first["quality"]["measure"], first["quality"]["value"], first["quality_days"]) == (
        "accuracy",
        0.8,
        [0.82, 0.81, 0.8],
    )
    assert (first["drift"]["field"], first["drift"]["words"], first["drift"]["fields_moved"]) == ("b", "moved", 1)
    assert (first["latency_p95_ms"], first["month"][0]["is_over"]) == (120.0, True)
    assert document["use_cases"][2]["quality"]["by"] == "estimated without labels"
    assert rows[0]["quality_value"] == "0.8"
    assert "<script>alert" not in page
    assert "\u202e" not in page.split("<main")[1]


@pytest.mark.usefixtures("empty")
def test_what_is_unknown_is_not_zero(running: Any) -> None:
    """No drill, no review, no price and no call are no measurements."""
    running.statuses[:] = [status("planned", "collecting")]

    [row] = json.loads(get(running.address, "/overview.json")[2])["use_cases"]

    unknown = ("quality", "drift", "latency_p95_ms", "review", "cost_24h", "error_share_24h", "drill")
    assert {name: row[name] for name in unknown} == dict.fromkeys(unknown)
    assert row["calls_24h"] == 0


def test_what_nobody_should_have_to_look_for_stands_above(running: Any) -> None:
    """A loop that ended judges nothing more, and the last verdict goes on looking green."""
    object.__setattr__(running.parts, "loops", lambda: {"engine": replace(LOOP, is_alive=False)})

    said = json.loads(get(running.address, "/overview.json")[2])["notices"]

    assert {each["what"] for each in said} == {"engine loop", "channels"}


@pytest.mark.usefixtures("empty")
def test_before_the_first_call_the_page_says_how_to_see_it_and_why_there_is_none(running: Any) -> None:
    """The first minute decides whether there is a second."""
    running.statuses.clear()

    page = get(running.address, "/")[2]

    assert "tocsin run --endpoint http://127.0.0.1:1 -- python service.py" in page
    assert "tocsin send-test" in page
    assert "nothing listens on 127.0.0.1:1" in page


def seen(**changes: Any) -> dict[str, Any]:
    """Receivers that listen, and nothing has come."""
    quiet: dict[str, Any] = {
        "receivers": [{"name": "grpc", "address": "127.0.0.1:4317", "is_listened_to": True}],
        "collectors": None,
        "usual_address": "127.0.0.1:4317",
        "usual_is_listened_to": True,
        **dict.fromkeys(("refused_requests", "keys_refused", "received_spans", "waiting_spans", "spans"), 0),
        "last_span_at": None,
        "services": [],
        "libraries": [],
    }
    return {**quiet, **changes}


ELSEWHERE = [{"name": "grpc", "address": "127.0.0.1:14317", "is_listened_to": True}]


@pytest.mark.parametrize(
    ("found", "said", "do"),
    [
        ({}, "nothing has been sent to 127.0.0.1:4317", "tocsin run -- python service.py"),
        ({"receivers": ELSEWHERE}, "reaches another program", "--endpoint http://127.0.0.1:14317"),
        ({"receivers": ELSEWHERE, "usual_is_listened_to": False}, "unless told otherwise", "--endpoint"),
        ({"keys_refused": 2, "refused_requests": 2}, "2 requests were refused: without an ingest key", "TOCSIN_KEY"),
        ({"refused_requests": 1}, "1 request was refused", "told why"),
        ({"waiting_spans": 5}, "5 spans have come and wait", "doctor"),
        ({"receivers": [], "collectors": 0}, "no collector is running", "tocsin collector"),
        (
            {
                "spans": 12,
                "last_span_at": NOW,
                "services": ["shop"],
                "libraries": ["opentelemetry.instrumentation.flask"],
            },
            "12 spans have come from shop, none of an AI call, the last at 2026-03-02 12:00 UTC: they are by opentelemetry.instrumentation.flask",
            "@tocsin.observe",
        ),
    ],
)
def test_the_cause_of_silence_is_named(found: dict[str, Any], said: str, do: str) -> None:
    """A port, a key or a library: each looks the same from outside, an empty page."""
    [cause] = why_no_calls(seen(**found))

    assert said in cause.said
    assert do in cause.do


def test_a_headline_counts_and_names_who_needs_somebody() -> None:
    """It is read on a phone, at night."""

    def row(name: str, verdict: str = "right", *, needs: bool = False) -> dict[str, Any]:
        return {"use_case": name, "verdict": verdict, "needs_you": needs, "is_test": name == "tocsin-test"}

    assert headline([row("a"), row("b"), row("tocsin-test")]) == "All 2 use cases are right"
    assert headline([row("t", "wrong", needs=True), row("a")]) == "1 of 2 use cases are right; t needs you"
    assert headline([row("t", "wrong", needs=True), row("u", "drifting", needs=True), row("a")]).endswith(
        "t and u need you"
    )
    assert headline([row("a", "unverified"), row("b")]) == "1 of 2 use cases are right; none needs you now"
    assert headline([]) == "No use case of your own yet"


def test_words_for_drift_are_those_of_the_rule() -> None:
    """A page must not call moved what opens no ticket."""
    assert [psi_words(psi) for psi in (None, 0.0, 0.049, 0.05, 0.1)] == [
        "not enough to say", "as in the reference", "as in the reference", "moving", "moved",
    ]  # fmt: skip


def test_a_sparkline_keeps_days_without_a_figure() -> None:
    """A line that closes its gaps is shorter than the time it shows."""
    today = int(NOW.timestamp()) // 86_400
    days = [{"evaluator": "accuracy", "days": [today - 3, today - 1], "shares": [(0.9,), (0.9,)]}]

    assert spark_of(days, until=NOW) == [0.9, None, 0.9, None]


@pytest.fixture
def empty(running: Any) -> None:
    """No evaluation of another test."""
    running.database.command("TRUNCATE TABLE evaluations")

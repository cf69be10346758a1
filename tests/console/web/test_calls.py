"""Calls: the list that is its address, and one call with what happened around it."""

import csv
import io
import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.console.conftest import NOW, Running
from tests.console.web.test_pages import HTML, get
from tests.console.web.test_review import post
from tests.databases import Databases

from tocsin_console.calls.desk import CallsDesk, stretches
from tocsin_console.calls.detail import DetailDesk, near, tree
from tocsin_console.calls.filters import SORTS, Asked
from tocsin_console.errors import UsageProblem
from tocsin_console.web.links import call_link, use_case_link

HOSTILE = '"><script>alert(1)</script>\u202egnp'
HOUR = timedelta(hours=1)


def stored(running: Running, rows: list[dict[str, Any]], use_case: str = "") -> str:
    """Store calls of the last day, unless they say when; gives their use case."""
    use_case = use_case or f"u{uuid.uuid4().hex[:8]}"
    common = {
        "project": "default",
        "use_case": use_case,
        "started_at": NOW - HOUR,
        "ingested_at": NOW,
        "served_by": "model",
        "weight": 1.0,
        "model_version": "m1",
    }
    running.database.insert("ai_calls", [{**_DEFAULTS, **common, **row} for row in rows])
    return use_case


_DEFAULTS: dict[str, Any] = {
    "call_id": "",
    "span_id": "",
    "trace_id": "",
    "duration_ns": 0,
    "attempt": 0,
    "retry_of": "",
    "release": "",
    "error_type": "",
    "output_label": "",
    "output_text": "",
    "confidence": None,
    "cost": None,
    "currency": "",
    "user_id": "",
    "input_numbers": {},
    "input_strings": {},
    "input_nulls": [],
    "segments": {},
}


def outcome(running: Running, use_case: str, call_id: str, **said: Any) -> None:
    """Say something of a call."""
    row = {"project": "default", "use_case": use_case, "call_id": call_id, "started_at": NOW - HOUR, "outcome_id": "o1"}
    row |= {"kind": "ground_truth", "source": "labels", "observed_at": NOW, "ingested_at": NOW, "weight": 1.0, **said}
    running.database.insert("outcomes", [row])


def listed(running: Running, use_case: str, **asked: Any) -> dict[str, Any]:
    """Ask for calls."""
    path = f"{use_case_link({'project': 'default', 'use_case': use_case}, 'calls')}.json?{urlencode(asked)}"
    found: dict[str, Any] = json.loads(get(running.address, path)[2])
    assert "error" not in found, found
    return found


def test_calls_are_found_by_anything_that_is_known_of_them(running: Running) -> None:
    """On-call asks for the wrong ones of the new release from the phones, not for the last fifty."""
    one = {
        "call_id": "wanted",
        "trace_id": "ab" * 16,
        "duration_ns": 2_000_000_000,
        "release": "r2",
        "error_type": "Timeout",
        "output_label": "cat",
        "output_text": "a Large answer",
        "confidence": 0.95,
        "cost": "0.5",
        "currency": "EUR",
        "user_id": "user-1",
        "input_numbers": {"size": 1.5},
        "input_strings": {"device": "phone"},
        "input_nulls": ["age"],
        "segments": {"device": "phone"},
    }
    use_case = stored(running, [one, {"call_id": "other", "confidence": 0.2, "cost": "0.1", "output_label": "dog"}])
    outcome(running, use_case, "wanted", correct=0)
    questions = [
        {"outcome": "wrong"},
        {"trace": "ab" * 16},
        {"slower_ms": 1500},
        {"release": "r2"},
        {"error": "any"},
        {"error": "Timeout"},
        {"label": "cat"},
        {"text": "large"},
        {"confidence_min": 0.9},
        {"cost_min": 0.4},
        {"user": "user-1"},
        {"input.size": "1.5"},
        {"input.device": "phone", "input.size": "1.5"},
        {"field": "age", "value": ""},
        {"call_id": "wanted"},
    ]

    found = {
        json.dumps(asked): [call["call_id"] for call in listed(running, use_case, **asked)["calls"]]
        for asked in questions
    }

    assert found == {json.dumps(asked): ["wanted"] for asked in questions}
    for asked in ({"outcome": "none"}, {"error": "none"}, {"confidence_max": 0.5}, {"cost_max": 0.2}):
        assert [call["call_id"] for call in listed(running, use_case, **asked)["calls"]] == ["other"], asked


def test_pages_hold_every_call_once_in_any_order(running: Running) -> None:
    """Equal times and unknown values are where lists that go on by an offset repeat themselves."""
    rows = [
        {
            "call_id": f"c{at:02}",
            "started_at": NOW - HOUR * (at // 5),
            "confidence": None if at % 4 == 0 else at % 3 / 4,
            "cost": None if at % 3 == 0 else f"0.{at % 2 + 1}",
            "duration_ns": at % 2,
        }
        for at in range(23)
    ]
    use_case = stored(running, rows)
    for sort in SORTS:
        seen: list[str] = []
        page = listed(running, use_case, sort=sort, limit=5)
        seen += [call["call_id"] for call in page["calls"]]
        while page["next"]:
            path, _, query = page["next"].partition("?")
            page = json.loads(get(running.address, f"{path}.json?{query}")[2])
            seen += [call["call_id"] for call in page["calls"]]

        assert sorted(seen) == [row["call_id"] for row in rows], sort


def test_the_sheet_of_a_list_is_what_the_page_shows(running: Running) -> None:
    """The address that is sent to a colleague is the file that is opened."""
    use_case = stored(running, [{"call_id": "=1+1", "output_label": "cat"}, {"call_id": "b", "output_label": "dog"}])
    path = f"/calls/default/{use_case}"

    sheet = list(csv.DictReader(io.StringIO(get(running.address, f"{path}.csv?label=cat")[2])))

    assert [row["call_id"] for row in sheet] == ["'=1+1"]
    assert "dog" not in get(running.address, f"{path}?label=cat", HTML | {"x-tocsin-part": "main"})[2]


def test_one_call_is_shown_with_what_happened_around_it(running: Running) -> None:
    """At three in the morning nobody joins five tables by hand."""
    trace = uuid.uuid4().hex
    first = {"call_id": "first", "trace_id": trace, "span_id": "s2", "attempt": 1, "error_type": "Timeout"}
    second = {
        "call_id": "second",
        "trace_id": trace,
        "span_id": "s3",
        "attempt": 2,
        "retry_of": "first",
        "confidence": 0.9,
    }
    second |= {"input_numbers": {"size": 3.0}, "output_text": HOSTILE, "output_probabilities": {"cat": 0.9, "dog": 0.1}}
    use_case = stored(running, [{**first, "output_probabilities": {}}, second])
    outcome(running, use_case, "second", correct=0, label="dog", comment=HOSTILE)
    spans = [
        {"SpanId": name, "ParentSpanId": parent, "SpanName": name, "Timestamp": NOW - HOUR, "TraceId": trace}
        for name, parent in (("s1", ""), ("s2", "s1"), ("s3", "s1"))
    ]
    running.database.insert("otel_traces", [{**span, "project": "default"} for span in spans])  # kept 30 days from now
    about = {"project": "default", "use_case": use_case, "call_id": "second"}

    known = json.loads(
        get(running.address, call_link({**about, "started_at": NOW - HOUR}).replace("/call?", "/call.json?"))[2]
    )
    page = get(running.address, call_link(about), HTML | {"x-tocsin-part": "main"})[2]

    assert [each["call_id"] for each in known["attempts"]] == ["first", "second"]
    assert [(each["span_id"], each["depth"]) for each in known["spans"]] == [("s1", 0), ("s2", 1), ("s3", 1)]
    assert [each["label"] for each in known["probabilities"]] == ["cat", "dog"]
    assert known["outcomes"][0]["label"] == "dog"
    assert "<script>" not in page
    assert "\u202e" not in re.sub('"[^"]*"', "", page)
    assert "tocsin forget --project default --call-id second" in page


def test_a_call_is_put_into_the_review_from_its_page(running: Running) -> None:
    """Who finds a strange answer has it judged with the others, and no figure moves by it."""
    use_case = stored(running, [{"call_id": f"c{at}", "output_label": "cat"} for at in range(9)])
    running.parts.reviews.draw("default", use_case, size=3, by="ana")
    drawn = {each["call_id"] for each in (running.parts.reviews.whole("default", use_case) or {})["items"]}
    picked = next(f"c{at}" for at in range(9) if f"c{at}" not in drawn)
    about = {"project": "default", "use_case": use_case, "call_id": picked}

    _, at = post(running, "/call/review", **about, actor="ana")
    again = post(running, "/call/review", **about, actor="ana")

    [review] = running.parts.reviews.status("default", use_case)
    assert again == (303, at)
    assert (review["size"], review["picked"]) == (3, 1)
    assert "in the current review" in get(running.address, at)[2]


@pytest.mark.parametrize(
    "said", [{"sort": "up"}, {"confidence_min": "many"}, {"after": "x"}, {"limit": "0"}, {"since": "now"}]
)
def test_an_address_that_means_nothing_is_refused(said: Mapping[str, str]) -> None:
    """A condition that is silently left out shows calls that were not asked for."""
    with pytest.raises(UsageProblem):
        Asked.of(list(said.items()))


def test_a_condition_is_taken_out_of_an_address_and_the_others_stay() -> None:
    """A chip is a link: what it removes is what it says."""
    asked = Asked.of([("label", "a&b"), ("input.x/y", "ü"), ("outcome", "wrong"), ("user", " ")])

    chips = {chip.name: chip.without for chip in asked.chips("/calls")}

    assert chips["answer"] == "/calls?input.x%2Fy=%C3%BC&outcome=wrong"
    assert chips["input x/y"] == "/calls?label=a%26b&outcome=wrong"
    assert Asked.of([("label", "a&b"), ("field", "x/y"), ("value", "ü"), ("outcome", "wrong")]).said == asked.said


def test_calls_are_looked_for_in_ever_wider_stretches() -> None:
    """The last fifty of ten million calls lie in the last minutes."""
    hours = [{"hour": NOW - HOUR * at, "calls": 100} for at in range(1, 50)]
    since, until = NOW - HOUR * 49, NOW

    looked = list(stretches(Asked.of([]), since, until, hours))
    from_behind = list(stretches(Asked.of([("sort", "oldest")]), since, until, hours))

    assert looked == [(NOW - HOUR, NOW), (NOW - HOUR * 8, NOW), (since, until)]
    assert from_behind[0] == (since, since + HOUR)
    assert list(stretches(Asked.of([("sort", "slow")]), since, until, hours)) == [(since, until)]


def test_a_trace_that_goes_in_a_circle_is_shown_once() -> None:
    """What spans say of their parents is what somebody sent."""
    spans = [
        {"span_id": name, "parent_span_id": parent}
        for name, parent in (("a", "b"), ("b", "a"), ("c", "gone"), ("d", "d"))
    ]

    shown = near(tree(spans), "b")

    assert sorted(each["span_id"] for each in shown) == ["a", "b", "c", "d"]
    assert {each["span_id"] for each in shown if each["is_near"]} == {"a", "b"}


def test_the_link_of_a_call_says_when_it_began() -> None:
    """By its hour a call is found at once among ten million."""
    about = {"project": "p", "use_case": "u/v", "call_id": "x&y"}

    assert call_link({**about, "started_at": datetime(2026, 3, 2, 7, 30)}).endswith("call_id=x%26y&at=2026-03-02T07")  # noqa: DTZ001
    assert "at=" not in call_link(about)


def test_lists_and_calls_are_read_from_a_server_too(server_databases: Databases) -> None:
    """The statements are asked of two engines."""
    with server_databases.one() as store:
        row = {
            **_DEFAULTS,
            "project": "default",
            "use_case": "u",
            "call_id": "c",
            "started_at": NOW - HOUR,
            "confidence": 0.5,
        }
        store.insert("ai_calls", [{**row, "input_numbers": {"size": 1.0}, "ingested_at": NOW, "served_by": "model"}])

        found = CallsDesk(store=store).listed(
            "", "", Asked.of([("text", ""), ("outcome", "none"), ("input.size", "1")])
        )
        one = DetailDesk(store=store).call("default", "u", "c")

        assert [call["call_id"] for call in found["calls"]] == ["c"]
        assert one is not None
        assert one["inputs"][0]["field"] == "size"

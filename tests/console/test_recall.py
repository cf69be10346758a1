"""The recall list of an incident, over the API of a real store."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.console.conftest import NOW, Running

from tocsin_collector.store.database import Database
from tocsin_console.recall.desk import RecallDesk
from tocsin_wire import unpack_handle

Tocsin = Callable[..., Any]
USE_CASE = "recalled"
HOUR = timedelta(hours=1)
CALL = {"project": "default", "use_case": USE_CASE, "model_version": "m1", "served_by": "model", "weight": 1.0}


def call(name: str, at: datetime, **changes: Any) -> dict[str, Any]:
    """A call that costs a tenth of a cent."""
    said = {
        "call_id": name,
        "started_at": at,
        "confidence": 0.9,
        "output_label": "7",
        "cost": "0.001",
        "currency": "USD",
    }
    return {
        **CALL,
        **said,
        "user_id": "",
        "is_probe": 0,
        "segments": {},
        "received_at": at,
        "ingested_at": at,
        **changes,
    }


def incident_of(store: Database, name: str, *, opened: datetime = NOW - 2 * HOUR, use_case: str = USE_CASE) -> str:
    """Write down that a page fires."""
    event = {"project": "default", "use_case": use_case, "rule": "r", "fingerprint": name, "incident": name}
    store.insert(
        "alert_events",
        [{**event, "event_id": name, "severity": "page", "to_state": "firing", "slot": opened, "at": opened}],
    )
    return name


@pytest.fixture
def incident(running: Running) -> str:
    """An incident of some calls: one known to be wrong, one known to be right, the others by confidence."""
    store, at = running.database, NOW - HOUR
    if not store.rows("SELECT 1 AS x FROM ai_calls WHERE use_case = {u:String} LIMIT 1", {"u": USE_CASE}):
        calls = [
            call("sure", at, confidence=0.99),
            call("unsure", at, confidence=0.4, user_id="ana@example.com"),
            call("=cmd()", at, confidence=0.6),
            call("known-wrong", at, confidence=0.97),
            call("known-right", at, confidence=0.3),
            call("silent", at, confidence=None, cost=None),
            call("by-fallback", at, served_by="fallback"),
            call("probe", at, served_by="fallback", is_probe=1),
            call("before", NOW - timedelta(days=9), confidence=0.1),
        ]
        store.insert("ai_calls", calls)
        outcome = {
            **CALL,
            "kind": "ground_truth",
            "source": "s",
            "started_at": at,
            "observed_at": NOW,
            "confidence": 0.9,
        }
        labels = (("known-wrong", 0), ("known-right", 1))
        store.insert(
            "outcomes", [{**outcome, "call_id": name, "outcome_id": name, "correct": right} for name, right in labels]
        )
        store.insert(
            "call_keys",
            [
                {
                    "project": "default",
                    "business_key": "order-7",
                    "started_at": at,
                    "call_id": "unsure",
                    "ingested_at": at,
                }
            ],
        )
        incident_of(store, "feed0123456789")
    return "feed0123456789"


def test_calls_since_the_onset_are_listed_by_how_likely_they_are_wrong(tocsin: Tocsin, incident: str) -> None:
    """Whoever corrects answers begins at the top; what the fallback served, and what was right, costs them no time."""
    found = json.loads(tocsin("incident", "recall", incident[:6], "--json").stdout)
    shown = tocsin("incident", "recall", incident, "--top", "2")

    calls = {each["call_id"]: each for each in found["calls"]}
    assert list(calls) == ["known-wrong", "unsure", "=cmd()", "sure", "known-right", "silent"]
    assert [each["probability_wrong"] for each in calls.values()] == [1.0, 0.6, 0.4, 0.01, 0.0, None]
    assert [each["known"] for each in calls.values()] == [True, False, False, False, True, False]
    unsure = calls["unsure"]
    assert (unsure["business_key"], unsure["cost"], unsure["currency"]) == ("order-7", 0.001, "USD")
    assert len(unsure["user"]) == 16
    assert "ana" not in json.dumps(found)
    handle = unpack_handle(unsure["handle"])
    assert (handle.use_case, handle.call_id, handle.confidence) == (USE_CASE, "unsure", pytest.approx(0.4))
    assert found["recall"]["since_by"] == "alert"
    assert calls["silent"]["cost"] is None
    assert "known-wrong" in shown.stdout
    assert "=cmd()" not in shown.stdout
    assert "neither calibrated nor labelled" in shown.stdout


def test_all_of_them_go_into_a_file_that_is_whole_or_not_there(tocsin: Tocsin, incident: str, tmp_path: Path) -> None:
    """A list that ends in the middle reads as if the rest were right."""
    file = tmp_path / "recall.csv"

    wrote = tocsin("incident", "recall", incident, "--csv", file)
    unknown = tocsin("incident", "recall", "none like it", "--csv", tmp_path / "other.csv")

    assert wrote.exit_code == 0, wrote.output
    with file.open(encoding="utf-8", newline="") as opened:
        listed = list(csv.DictReader(opened))
    assert [each["call_id"] for each in listed] == ["known-wrong", "unsure", "'=cmd()", "sure", "known-right", "silent"]
    assert listed[-1]["probability_wrong"] == ""
    assert unknown.exit_code == 2
    assert "expected one incident" in unknown.output
    assert [each.name for each in tmp_path.iterdir() if each.suffix in {".csv", ".part"}] == ["recall.csv"]


def test_a_webhook_gets_them_under_ids_that_a_repeat_has_again(tocsin: Tocsin, running: Running, incident: str) -> None:
    """Answers that are run again twice cost twice."""
    sent = tocsin("incident", "recall", incident, "--webhook", "rerun", "--top", "3")
    tocsin("incident", "recall", incident, "--webhook", "rerun", "--top", "3")

    assert "rerun took 3 calls" in sent.stdout
    (channel, key, document), (_, again, _) = running.letters.sent
    assert (channel, key) == ("rerun", again)
    assert (document["type"], document["part"], document["is_last"]) == ("recall", 1, True)
    assert [each["call_id"] for each in document["calls"]] == ["known-wrong", "unsure", "=cmd()"]


@pytest.mark.usefixtures("incident")
def test_pages_lose_and_repeat_no_call(running: Running) -> None:
    """Many calls have the same probability; a page must go on within them."""
    store = running.database
    ties = [call(f"tie{number}", NOW - HOUR, confidence=0.5, use_case="tied") for number in range(7)]
    store.insert("ai_calls", [*ties, call("surer", NOW - HOUR, confidence=0.8, use_case="tied")])
    incident_of(store, "ties", use_case="tied")

    def listed(page: int, top: int | None = None) -> list[str]:
        desk = RecallDesk(store=store, clock=lambda: NOW, send=lambda *_: None, page=page)
        _, frame = desk.look("ties")
        return [each["call_id"] for each in desk.calls(frame, top=top)]

    assert listed(100) == [*(f"tie{number}" for number in range(7)), "surer"]
    assert listed(2) == listed(3) == listed(8) == listed(100)
    assert listed(2, top=3) == listed(100)[:3]


def test_only_one_page_is_held_at_a_time() -> None:
    """An incident of a month has a million calls; the process that lists them also loads spans."""
    asked: list[int] = []

    class Endless:
        """A store whose every page is full."""

        def rows(self, _sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
            size = (parameters or {}).get("size")
            if size is None:
                return []
            asked.append(size)
            facts = call(f"c{len(asked)}", NOW) | {"started_ns": 0, "prompt_version": "", "output_value": None}
            return [facts | {"wrong": 0.5, "known": 0, "millionths": 500_000, "person": "", "session": ""}] * size

        def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
            """Keep nothing."""

    desk = RecallDesk(store=Endless(), clock=lambda: NOW, send=lambda *_: None, page=10)
    calls = desk.calls({"project": "default", "use_case": USE_CASE})

    for _ in range(25):
        next(calls)

    assert asked == [10, 10, 10]

"""The week's review over a real store: what is drawn, handed out and recorded."""

import json
import os
import pty
import select
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from tests.console.conftest import NOW, Running
from tests.instrumentation.conftest import collector as outside

from tocsin_collector.store.database import Database
from tocsin_console.errors import UsageProblem
from tocsin_console.review.desk import ReviewDesk
from tocsin_console.review.draw import draw, sample
from tocsin_wire import unpack_handle

__all__ = ["outside"]

Tocsin = Callable[..., Any]
HOUR = timedelta(hours=1)
FRAME = {"since": NOW - timedelta(days=7), "until": NOW}


def calls(store: Database, count: int, *, use_case: str = "", **row: Any) -> str:
    """Store some calls of the last days, a fifth of them unsure; returns their use case."""
    use_case = use_case or f"u{uuid.uuid4().hex[:8]}"
    rows = [
        {
            "project": "default",
            "use_case": use_case,
            "started_at": NOW - HOUR * (2 + index % 150),
            "ingested_at": NOW,
            "call_id": f"{use_case}-{index}",
            "model_version": "m1",
            "served_by": "model",
            "weight": 1.0,
            "output_label": "cat",
            "confidence": 0.5 if index % 5 == 0 else 0.9 + index % 7 / 100,
            "input_strings": {"page": "A4"},
            "segments": {"device": "phone" if index % 10 == 0 else "desk"},
            **row,
        }
        for index in range(count)
    ]
    store.insert("ai_calls", rows)
    return use_case


def desk(store: Database, taken: list[Any], *, ahead: timedelta = timedelta(0)) -> ReviewDesk:
    """A desk that keeps what it would record."""

    def record(outcomes: Any) -> Any:
        taken.extend(outcomes)
        return {"accepted": len(outcomes), "rejected": 0, "errors": []}

    return ReviewDesk(store, record, clock=lambda: NOW + ahead, now=lambda: NOW + ahead)


def test_the_same_week_gives_the_same_draw(store: Database) -> None:
    """Drawing until one likes it would be no sample."""
    use_case = calls(store, 500)
    first = draw(store, project="default", use_case=use_case, size=20, by="ana", now=NOW)

    again = draw(store, project="default", use_case=use_case, size=50, by="bo", now=NOW + timedelta(days=3))

    assert first is not None
    assert again is not None
    assert first["draw"] == again["draw"]
    assert again["size"] == 20
    assert first["week"] == date(2026, 3, 2)


def test_day_by_day_the_week_is_drawn_in_parts_that_do_not_overlap(store: Database) -> None:
    """Scored on the day itself, an error is known days sooner; and a day asked twice gives the same calls."""
    use_case = calls(store, 500)
    asked = {"project": "default", "use_case": use_case, "size": 20, "by": "ana", "daily": True}
    first = draw(store, now=NOW - timedelta(days=2), **asked)
    following = draw(store, now=NOW, **asked)

    again = draw(store, now=NOW, **asked)

    assert first is not None
    assert following is not None
    assert (first["size"], following["since"], following == again) == (20, first["until"], True)
    assert following["size"] in (5, 6)
    assert following["until"] - following["since"] == timedelta(days=2)


def test_a_draw_that_was_cut_short_leaves_nothing_behind(store: Database) -> None:
    """A crash between items and book must not mix two samples."""
    use_case = calls(store, 100)
    lost = {"project": "default", "use_case": use_case, "week": date(2026, 3, 2), "draw": "lost", "call_id": "x"}
    store.insert("review_items", [{**lost, "started_at": NOW, "selection_probability": 0.1, "state": "open"}])

    found = desk(store, []).draw("default", use_case, by="ana")

    assert found[0]["size"] == 20


def test_every_call_is_drawn_as_often_as_its_chance_says(store: Database) -> None:
    """The weights of all reviews rest on it: 150 draws of 20 out of 300, of named calls: chance draws once, not at every run."""
    use_case = calls(store, 300, use_case="every-call")
    seen: dict[str, int] = {}
    chance: dict[str, float] = {}
    for seed in range(150):
        for item in sample(store, project="default", use_case=use_case, size=20, seed=str(seed), **FRAME).items:
            seen[item["call_id"]] = seen.get(item["call_id"], 0) + 1
            chance[item["call_id"]] = item["selection_probability"]
    by_chance: dict[float, list[int]] = {}
    for call_id, p in chance.items():
        by_chance.setdefault(round(p, 9), []).append(seen[call_id])

    drawn = {p: sum(times) / len(times) / 150 for p, times in by_chance.items()}

    assert len(drawn) >= 3
    assert sum(seen.values()) == 150 * 20
    for p, share in drawn.items():
        assert share == pytest.approx(p, rel=0.15)


def test_a_segment_that_moved_gets_its_part_of_the_sample(store: Database) -> None:
    """Where something changed is where there is something to find."""
    use_case = calls(store, 1_000)
    cell = {"project": "default", "use_case": use_case, "kind": "confidence", "field": "", "category": ""}
    rows = [
        {**cell, "hour": hour, "segment_name": name, "segment_value": value, "bin": place, "n": 100}
        for hour, is_now in ((NOW - timedelta(days=1), True), (NOW - timedelta(days=14), False))
        for name, value in (("", ""), ("device", "phone"), ("device", "desk"))
        for place in [1960 if value == "phone" and is_now else 1880]
    ]
    store.insert("input_histogram_1h", rows)

    found = sample(store, project="default", use_case=use_case, size=40, seed="a", **FRAME)

    assert sum(item["stratum"] == "segment" for item in found.items) >= 8


def test_calls_whose_content_was_kept_are_drawn_and_stand_for_the_others(store: Database) -> None:
    """A reviewer needs something to read; of a hashed pick, each call stands for as many as were not picked."""
    use_case = calls(store, 400)
    picked = [f"{use_case}-{index}" for index in range(0, 400, 4)]
    kept = {"project": "default", "at": NOW - timedelta(days=2), "kind": "output", "pick": "review", "ingested_at": NOW}
    store.insert("call_content", [{**kept, "call_id": call_id, "content": "an answer"} for call_id in picked])

    found = sample(store, project="default", use_case=use_case, size=20, seed="a", **FRAME)

    assert {item["call_id"] for item in found.items} <= set(picked)
    weights = [1 / item["selection_probability"] for item in found.items]
    assert 250 < sum(weights) < 600


def test_a_score_is_an_outcome_with_confidence_and_weight(store: Database) -> None:
    """What the evaluators of reviews read: kind, confidence, and one over the selection probability."""
    taken: list[Any] = []
    use_case = calls(store, 200)
    reviews = desk(store, taken)
    reviews.draw("default", use_case, by="ana")
    item = reviews.next("default", use_case, by="ana")["item"]

    standing = reviews.score(
        "default", use_case, {"call_id": item["call_id"], "correct": False, "label": "dog", "minutes": 0.5}, by="ana"
    )

    call = unpack_handle(taken[0]["handle"])
    [row] = store.rows(
        "SELECT selection_probability AS p FROM review_items FINAL WHERE call_id = {c:String}", {"c": item["call_id"]}
    )
    assert (taken[0]["kind"], taken[0]["correct"], taken[0]["label"], taken[0]["minutes"]) == (
        "review",
        False,
        "dog",
        0.5,
    )
    assert call.weight == pytest.approx(1 / row["p"])
    assert call.confidence == pytest.approx(item["confidence"])
    assert (standing["scored"], standing["minutes"]) == (1, 0.5)


@pytest.mark.server
def test_a_server_draws_and_hands_out_as_the_embedded_engine_does(store: Database, server_database: Database) -> None:
    """The same statements on ClickHouse 24.10; the same hashes give the same calls."""
    use_case = calls(store, 200)
    calls(server_database, 200, use_case=use_case)

    here, there = ([each["call_id"] for each in sample(
        one, project="default", use_case=use_case, size=20, seed="a", **FRAME
    ).items] for one in (store, server_database))  # fmt: skip
    reviews = desk(server_database, [])
    reviews.draw("default", use_case, by="ana")
    item = reviews.next("default", use_case, by="ana")["item"]
    standing = reviews.score("default", use_case, {"call_id": item["call_id"], "score": 1.0}, by="ana")

    assert here == there
    assert standing["scored"] == 1
    assert reviews.overdue() == []


def test_two_reviewers_never_get_one_call(store: Database) -> None:
    """Half an afternoon's work would be done twice; a lock runs out when somebody goes home."""
    use_case = calls(store, 200)
    reviews = desk(store, [])
    reviews.draw("default", use_case, by="ana")

    first = reviews.next("default", use_case, by="ana")["item"]["call_id"]
    again = reviews.next("default", use_case, by="ana")["item"]["call_id"]
    other = reviews.next("default", use_case, by="bo")["item"]["call_id"]
    later = desk(store, [], ahead=timedelta(minutes=16)).next("default", use_case, by="cy")["item"]["call_id"]

    assert first == again == later
    assert other != first
    with pytest.raises(UsageProblem, match="right now"):
        reviews.score("default", use_case, {"call_id": other, "correct": True}, by="ana")


def test_undo_takes_the_outcome_back(store: Database) -> None:
    """The same id without a verdict replaces the verdict: no evaluator counts it."""
    taken: list[Any] = []
    use_case = calls(store, 200)
    reviews = desk(store, taken)
    reviews.draw("default", use_case, by="ana")
    call_id = reviews.next("default", use_case, by="ana")["item"]["call_id"]
    reviews.score("default", use_case, {"call_id": call_id, "correct": True}, by="ana")

    standing = reviews.undo("default", use_case, call_id, by="ana")

    assert standing["scored"] == 0
    assert taken[1]["outcome_id"] == taken[0]["outcome_id"]
    assert not {"correct", "score", "label"} & set(taken[1])
    with pytest.raises(UsageProblem, match="expected a score"):
        reviews.score("default", use_case, {"call_id": call_id}, by="ana")


def test_skipped_calls_come_last_and_unfinished_weeks_are_overdue(store: Database) -> None:
    """Those not yet seen first; and a week that nobody finished is said."""
    use_case = calls(store, 10)
    reviews = desk(store, [])
    reviews.draw("default", use_case, by="ana")
    first = reviews.next("default", use_case, by="ana")["item"]["call_id"]
    reviews.skip("default", use_case, first, by="ana")

    following = reviews.next("default", use_case, by="ana")["item"]["call_id"]

    later = desk(store, [], ahead=timedelta(days=7))

    assert following != first
    assert use_case not in {each["use_case"] for each in reviews.overdue()}
    assert use_case in {each["use_case"] for each in later.overdue()}
    assert not reviews.status("default", use_case)[0]["overdue"]
    assert later.status("default", use_case)[0]["overdue"]


def test_scripts_draw_take_and_score(running: Running, tocsin: Tocsin) -> None:
    """The same review, without a terminal."""
    use_case = calls(running.database, 300)

    drawn = json.loads(tocsin("review", "draw", "--use-case", use_case, "--size", 7, "--json").stdout)
    taken = json.loads(tocsin("review", "next", "--use-case", use_case, "--by", "ana", "--json").stdout)
    call_id = taken["item"]["call_id"]
    scored = tocsin("review", "score", call_id, "--use-case", use_case, "--score", 4, "--by", "ana", "--json")
    shown = tocsin("review", "status", "--use-case", use_case)

    assert drawn[0]["size"] == 7
    assert taken["item"]["no_content"].startswith("the content of this call was not captured")
    assert json.loads(scored.stdout)[0]["scored"] == 1
    assert running.outcomes.taken[-1]["score"] == 0.75
    assert "1 of 7" in shown.stdout
    assert tocsin("review", "draw", "--use-case", "nothing").exit_code == 2


def test_where_the_api_has_no_collector_scores_go_to_one(
    running: Running, tocsin: Tocsin, outside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a server the parts run apart: the console hands out and keeps the books, a collector records, as the settings say."""
    use_case = calls(running.database, 300)
    before = len(running.outcomes.taken)
    tocsin("review", "draw", "--use-case", use_case, "--size", 7)
    taken = json.loads(tocsin("review", "next", "--use-case", use_case, "--by", "ana", "--json").stdout)
    words = ("review", "score", taken["item"]["call_id"], "--use-case", use_case, "--by", "ana", "--json")

    nobody = tocsin(*words, "--score", 4, "--collector", "http://127.0.0.1:9")
    scored = tocsin(*words, "--score", 4, "--collector", outside.endpoint)
    monkeypatch.setenv("TOCSIN_COLLECTOR_ADDRESS", outside.endpoint)
    undone = tocsin(*words, "--undo")
    foreign = tocsin(*words, "--score", 4, "--project", "shop")

    said = [
        (each.kind, each.author, each.outcome_id, each.score if each.HasField("score") else None)
        for each in outside.outcomes
    ]
    assert nobody.exit_code == 3
    assert json.loads(scored.stdout)[0]["scored"] == 1
    assert json.loads(undone.stdout)[0]["scored"] == 0
    assert said == [("review", "ana", said[0][2], 0.75), ("review", "ana", said[0][2], None)]
    assert unpack_handle(outside.outcomes[0].handle).call_id == taken["item"]["call_id"]
    assert len(running.outcomes.taken) == before
    assert foreign.exit_code == 2
    assert "TOCSIN_KEY" in foreign.output


def test_a_reviewer_scores_key_by_key_at_a_terminal(running: Running, tocsin: Tocsin) -> None:
    """Right, wrong with a comment, undone and scored anew, a corrected output, one left for later, and out."""
    del tocsin  # it sets the folder up
    use_case = calls(running.database, 300)
    command = "from tocsin_console.__main__ import main; main()"
    words = ["review", "--use-case", use_case, "--size", "5", "--by", "ana"]
    before = len(running.outcomes.taken)

    shown = _typed(
        [sys.executable, "-c", command, *words],
        [
            *[
                ("--- 1 of 5", "y"),
                ("1 of 5, 0 min", "c"),
                ("comment", "too short\n"),
                ("", "n"),
                ("2 of 5, 0 min", "u"),
            ],
            *[("is open again", "2"), ("2 of 5, 0 min", "e"), ("the right output", "dog\n"), ("3 of 5, 0 min", "s")],
            ("--- 4 of 5", "q"),
        ],
    )

    said = running.outcomes.taken[before:]
    assert "not captured" in shown
    assert "insufficient data" in shown
    assert [each.get("correct") for each in said] == [True, False, None, None, False]
    assert said[1]["comment"] == "too short"
    assert said[2]["comment"] == "withdrawn"
    assert said[3]["score"] == 0.25
    assert said[4]["label"] == "dog"
    assert all(each["author"] == "ana" for each in said)
    assert [row["state"] for row in running.database.rows(
        "SELECT state, count() AS n FROM review_items FINAL WHERE use_case = {u:String} GROUP BY state ORDER BY state",
        {"u": use_case},
    )] == ["open", "scored", "skipped"]  # fmt: skip


def _typed(command: list[str], keys: list[tuple[str, str]]) -> str:
    """Run a command at a terminal, and type each key once what is waited for has been shown since the last."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown, seen = "", 0
    try:
        for awaited, typed in keys:
            while awaited not in shown[seen:]:
                ready, _, _ = select.select([ours], [], [], 30)
                assert ready, f"waited for {awaited!r}, and got {shown[seen:]!r}"
                shown += os.read(ours, 65_536).decode(errors="replace")
            seen += shown[seen:].index(awaited) + len(awaited)
            os.write(ours, typed.encode())
        process.wait(30)
    finally:
        process.kill()
        os.close(ours)
    return shown

"""The week's review by forms: what a browser posts, with and without our script."""

import http.client
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.console.conftest import Running
from tests.console.review.test_desk import calls, desk
from tests.console.web.test_pages import HTML, get

from tocsin_wire import unpack_handle

HOSTILE = 'a "b"/<img src=x onerror=alert(1)>/\u202egnp'


def post(running: Running, path: str, **form: str) -> tuple[int, str]:
    """Post a form as its own page does; gives the address to look at, or what was refused."""
    connection = http.client.HTTPConnection(running.address, timeout=30)
    headers = {"origin": f"http://{running.address}", "content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, urlencode(form), headers)
    answer = connection.getresponse()
    found = answer.status, answer.getheader("location") or answer.read().decode()
    connection.close()
    return found


def begun(running: Running, use_case: str, size: int = 6) -> tuple[dict[str, str], str]:
    """Draw a sample and take its first call; gives the fields of a form, and where one is."""
    about = {"project": "default", "use_case": use_case, "actor": "ana"}
    post(running, "/review/draw", **about, size=str(size), pace="weekly")
    return about, post(running, "/review/next", **about)[1]


def call_at(address: str) -> str:
    """Give the call that an address shows."""
    return parse_qs(urlsplit(address).query)["call_id"][0]


def test_a_review_is_done_with_forms_alone(running: Running) -> None:
    """Who has no script, or whose script broke, reviews all the same."""
    about, at = begun(running, calls(running.database, 60))
    for _ in range(6):
        assert get(running.address, at)[0] == 200
        _, at = post(running, "/review/score", **about, call_id=call_at(at) if "call_id" in at else "", verdict="right")

    _, _, page = get(running.address, at)

    assert "done=yes" in at
    assert "6 of 6" in page
    assert len({each["outcome_id"] for each in running.outcomes.taken}) == 6


def test_a_score_that_is_sent_twice_is_recorded_once(running: Running) -> None:
    """A script that heard no answer sends again; a hand that trembles presses twice."""
    about, at = begun(running, calls(running.database, 60))
    said = {**about, "call_id": call_at(at), "verdict": "wrong", "minutes": "0.5"}

    first, again = post(running, "/review/score", **said), post(running, "/review/score", **said)

    [review] = running.parts.reviews.status("default", about["use_case"])
    assert first[0] == again[0] == 303
    assert len({each["outcome_id"] for each in running.outcomes.taken}) == 1
    assert (review["scored"], review["minutes"]) == (1, 0.5)


def test_a_late_score_does_not_overwrite_that_of_another(running: Running) -> None:
    """A score that waited in a browser for hours comes when somebody else has judged the call."""
    about, at = begun(running, calls(running.database, 60))
    said = {**about, "call_id": call_at(at)}
    post(running, "/review/score", **said, verdict="right")

    late = post(running, "/review/score", **{**said, "actor": "bo"}, verdict="wrong")

    assert late[0] == 400
    assert "ana has scored" in late[1]


def test_undo_shows_the_call_that_was_scored_last(running: Running) -> None:
    """A wrong key is noticed when the next call is already there."""
    about, at = begun(running, calls(running.database, 60))
    first = call_at(at)
    _, at = post(running, "/review/score", **about, call_id=first, verdict="right")

    _, back = post(running, "/review/score", **about, call_id=call_at(at), verdict="undo")

    assert call_at(back) == first
    assert running.parts.reviews.status("default", about["use_case"])[0]["scored"] == 0


def test_names_and_answers_are_shown_as_text(running: Running) -> None:
    """A use case is named by who sends spans, an answer by a model."""
    hostile = calls(running.database, 30, use_case=HOSTILE, output_label="<script>alert(1)</script>")
    _, at = begun(running, hostile)

    pages = [get(running.address, path, HTML | {"x-tocsin-part": "main"})[2] for path in ("/review", at)]
    seen = [re.sub('"[^"]*"', "", page) for page in pages]  # hidden fields hold names as they are

    assert all("<img" not in page and "<script>alert" not in page for page in pages)
    assert all("\u202e" not in page for page in seen)
    assert "&lt;script&gt;alert(1)" in pages[1]


def test_the_document_of_a_review_says_its_estimate_and_its_calls(running: Running) -> None:
    """What the page shows is what 'tocsin review status --json' shows."""
    about, at = begun(running, calls(running.database, 60))
    post(running, "/review/score", **about, call_id=call_at(at), verdict="5")

    found = json.loads(get(running.address, f"/review/default/{about['use_case']}.json")[2])
    [listed] = json.loads(get(running.address, f"/api/review?use_case={about['use_case']}")[2])["reviews"]

    assert {name: found["review"][name] for name in listed} == listed
    assert sorted(each["state"] for each in found["calls"]) == ["open"] * 5 + ["scored"]


def test_a_picked_call_is_scored_and_moves_no_figure(running: Running) -> None:
    """People pick what looks wrong: as a verdict it would be a page that nothing caused."""
    taken: list[Any] = []
    use_case = calls(running.database, 60)
    reviewing = desk(running.database, taken)
    reviewing.draw("default", use_case, size=5, by="ana")
    drawn = {each["call_id"] for each in (reviewing.whole("default", use_case) or {})["items"]}
    [picked, *_] = [f"{use_case}-{at}" for at in range(60) if f"{use_case}-{at}" not in drawn]
    [row] = running.database.rows("SELECT started_at FROM ai_calls WHERE call_id = {id:String}", {"id": picked})
    reviewing.pick("default", use_case, picked, row["started_at"])
    said = {"call_id": picked, "correct": False, "label": "dog", "minutes": 1.0}

    standing = reviewing.score("default", use_case, said, by="ana")

    [outcome] = taken
    assert (standing["size"], standing["scored"], standing["estimate"]["n"]) == (5, 0, 0)
    assert (standing["picked"], standing["picked_scored"], standing["minutes"]) == (1, 1, 1.0)
    assert not {"correct", "score"} & set(outcome)
    assert not unpack_handle(outcome["handle"]).label
    assert [each["size"] for each in reviewing.standings() if each["use_case"] == use_case] == [5]

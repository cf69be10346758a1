"""The page that messages link: looking at it changes nothing, its buttons do, and no other site can press them."""

import json
import urllib.request
import uuid
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
from tests.console.conftest import NOW
from tests.console.test_acknowledging import fires


@pytest.fixture
def incident(running: Any) -> str:
    """An open incident of one alert."""
    name = uuid.uuid4().hex
    fires(running.database, name, rule="accuracy-drop", to_state="firing")
    return name


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: where a form leads is part of the answer."""

    def redirect_request(self, *_told: Any) -> None:
        """Stay."""


def ask(running: Any, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
    """Open a page, or post a form as a browser does; gives status, headers and text."""
    host = running.address
    sent = {"origin": f"http://{host}"} if form is not None else {}
    body = None if form is None else urlencode(form).encode()
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        f"http://{host}{path}", data=body, headers={name: value for name, value in sent.items() if value}
    )
    try:
        answer = urllib.request.build_opener(Stay).open(request, timeout=30)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, {key.lower(): value for key, value in answer.headers.items()}, answer.read().decode()


def test_looking_at_it_changes_nothing_and_pressing_does(running: Any, incident: str) -> None:
    """Mail scanners open every link; only a person presses."""
    status, headers, before = ask(running, f"/alerts/{incident}")
    pressed, led, _ = ask(running, f"/alerts/{incident}/acknowledge", {"actor": "ana", "note": "on it"})
    _, _, after = ask(running, led["location"])

    assert (status, pressed) == (200, 303)
    assert "Nobody has it" in before
    assert 'method="post"' in before
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "form-action 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert "ana has it" in after
    assert "Acknowledged" in after


def test_a_silence_is_of_the_rule_for_so_long(running: Any, incident: str) -> None:
    """A silence of everything is another decision."""
    form = {"rule": "accuracy-drop", "for": "2h", "because": "known", "actor": "ana"}

    status, _, _ = ask(running, f"/alerts/{incident}/silence", form)

    (made,) = [each for each in running.parts.silences.in_force() if each.reason == "known"]
    running.parts.silences.expire(made.silence, by="test")
    assert status == 303
    assert (made.use_case, made.rule, made.author) == ("triage", "accuracy-drop", "ana")
    assert (made.until - made.since).total_seconds() == 7_200


@pytest.mark.parametrize(
    ("form", "headers", "status"),
    [
        ({"actor": "eve"}, {"origin": "https://evil.example"}, 403),
        ({"actor": "eve"}, {"origin": "null"}, 403),
        ({"actor": "eve"}, {"origin": ""}, 403),
        ({"actor": "eve"}, {"host": "rebound.example", "origin": "http://rebound.example"}, 403),
        ({"actor": "eve"}, {"content_type": "text/plain"}, 415),
        ({"actor": " "}, {}, 400),
    ],
)
def test_nobody_else_presses(
    running: Any, incident: str, form: dict[str, str], headers: dict[str, str], status: int
) -> None:
    """A page on another site must not take or silence an incident through somebody's browser."""
    answered, _, _ = ask(running, f"/alerts/{incident}/acknowledge", form, **headers)

    (row,) = [each for each in running.parts.book.alerts() if each["incident"] == incident]
    assert answered == status
    assert row["acknowledged_by"] == ""


def test_what_cannot_be_done_is_said_on_the_page(running: Any, incident: str) -> None:
    """A person reads it, not a program."""
    status, headers, text = ask(
        running,
        f"/alerts/{incident}/silence",
        {"rule": "other", "for": "2h", "because": "x", "actor": "a"},
        accept="text/html",
    )
    missing, _, nothing = ask(running, "/alerts/none", accept="text/html")

    assert status == 400
    assert headers["content-type"].startswith("text/html")
    assert "expected a rule of this incident" in text
    assert (missing, "No such incident" in nothing) == (404, True)


def test_the_page_shows_the_chart_of_what_was_told_last(running: Any, incident: str) -> None:
    """The same chart as in the mail, drawn when it is asked for."""
    day = {"estimated": 0.9, "labelled": None}
    told = {
        "use_case": "triage",
        "days": [{"slot": f"2026-04-0{number}T00:00:00+00:00", **day} for number in (1, 2, 3)],
    }
    body = json.dumps({"message": {"text": "Text", "data": told}})
    row = {"notification": incident, "incident": incident, "channel": "mail", "state": "sent", "transition": "firing"}
    bare, _, nothing = ask(running, f"/alerts/{incident}/chart.svg")
    running.database.insert("notifications", [{**row, "body": body, "version": 1, "slot": NOW, "at": NOW}])

    _, _, page = ask(running, f"/alerts/{incident}")
    status, headers, drawn = ask(running, f"/alerts/{incident}/chart.svg")
    other, _, _ = ask(running, f"/alerts/{incident}/chart.gif")

    assert f'src="/alerts/{incident}/quality.svg"' in page
    assert (status, headers["content-type"], drawn) == (200, "image/svg+xml", "svg of triage")
    assert (bare, nothing, other) == (404, "", 404)

"""The loopback API over a real store."""

import http.client
import json
from datetime import timedelta
from typing import Any

import pytest

from tocsin_alerts.records import Sample
from tocsin_alerts.status import UseCaseStatus


def ask(
    address: str, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], str]:
    """Send one request with exactly these headers."""
    connection = http.client.HTTPConnection(address, timeout=10)
    sent = {"content-type": "application/json"} if body is not None else {}
    connection.request(
        method, path, body=None if body is None else json.dumps(body), headers={**sent, **(headers or {})}
    )
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def status(now: Any, **changes: Any) -> UseCaseStatus:
    """A use case about which little is known."""
    sample = Sample(
        project="default", use_case="x", labels={}, slot=now, value=0.93, lower=0.9, upper=0.95, baseline=None, n=412
    )
    said: dict[str, Any] = {
        "project": "default",
        "use_case": "<script>alert(1)</script>",
        "verdict": "unverified",
        "reason": "no outcomes & more",
        "accuracy": None,
        "estimate": sample,
        "alerts": (),
        "unanswered": 5,
        "evaluated_through": None,
    }
    return UseCaseStatus(**{**said, **changes})


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8317", "127.0.0.1.evil.example", "10.0.0.1", ""])
def test_a_name_that_was_rebound_to_loopback_is_refused(running: Any, host: str) -> None:
    """A web page whose name resolves to 127.0.0.1 must not read what is here."""
    code, _, text = ask(running.address, "GET", "/api/status", headers={"host": host})

    assert code == 403
    assert "loopback" in text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8317", "[::1]:8317", "localhost:1"])
def test_loopback_names_are_served(running: Any, host: str) -> None:
    """People type localhost, tools type addresses, tunnels change the port."""
    assert ask(running.address, "GET", "/healthz", headers={"host": host})[0] == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json", "origin": "https://evil.example"}, 403),
        ({"content-type": "application/json", "origin": "null"}, 403),
    ],
)
def test_a_post_that_a_foreign_page_could_send_is_refused(running: Any, headers: dict[str, str], code: int) -> None:
    """A guard must not be released by whoever gets somebody to open a link."""
    body = {"action": "release", "actor": "x"}

    assert ask(running.address, "POST", "/api/guard/digits", body=body, headers=headers)[0] == code
    assert running.guard.done == []


def test_the_guard_is_set_released_and_published_at_once(running: Any) -> None:
    """Services follow within a second only if the change is pushed, not at the next tick."""
    said = {"action": "set", "state": "fallback", "actor": "ana", "cause": "bad answers"}
    set_code, _, _ = ask(running.address, "POST", "/api/guard/team/digits", body=said)
    release_code, _, _ = ask(running.address, "POST", "/api/guard/digits", body={"action": "release", "actor": "ana"})

    assert (set_code, release_code) == (200, 200)
    assert running.guard.done == [
        ("set", "default", "team/digits", "fallback", "ana", "bad answers"),
        ("published",),
        ("release", "default", "digits", "ana"),
        ("published",),
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/guard/digits", {"action": "explode", "actor": "ana"}),
        ("/api/guard/digits", {"action": "set", "state": "fallback", "cause": "x"}),
        ("/api/query", {"sql": "DROP TABLE calls"}),
        ("/api/query", {}),
        ("/api/query", []),
        ("/api/outcomes", {"outcomes": []}),
    ],
)
def test_a_bad_request_gets_one_sentence(running: Any, path: str, body: Any) -> None:
    """A person reads it in a terminal."""
    code, _, text = ask(running.address, "POST", path, body=body)

    assert code == 400
    assert json.loads(text)["error"].count("\n") == 0


def test_the_page_escapes_what_others_named(running: Any) -> None:
    """Use case names come from spans, which anybody who can send one chooses."""
    running.statuses.append(status(running.parts.now()))

    code, headers, text = ask(running.address, "GET", "/")

    assert code == 200
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "93.0 %" in text
    assert "90.0 % to 95.0 %, n = 412" in text
    assert "nobody would be told" in text
    assert headers["content-security-policy"].startswith("default-src 'self'; object-src 'none'")


def test_metrics_leave_out_what_is_unknown(running: Any) -> None:
    """An accuracy of 0 that nobody measured would page somebody."""
    running.statuses.append(status(running.parts.now(), use_case='a"b'))

    text = ask(running.address, "GET", "/metrics")[2]

    assert 'tocsin_use_case_accuracy{project="default",use_case="a\\"b",source="estimate"} 0.93' in text
    assert 'source="accuracy"' not in text
    assert 'tocsin_use_case_verdict{project="default",use_case="a\\"b",verdict="unverified"} 1' in text
    assert "tocsin_watermark_lag_seconds 2" in text
    assert 'tocsin_loop_failures_total{loop="engine"} 0' in text
    assert "tocsin_collector_spool_bytes 7" in text


def test_the_state_is_one_document(running: Any) -> None:
    """Every verb that looks reads it."""
    state = json.loads(ask(running.address, "GET", "/api/status")[2])

    assert state["ledger"]["balances"] is True
    assert state["ready"] is True
    assert state["evaluated_through"] == (running.parts.now() - timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    "path", ["/api/use-cases", "/api/alerts", "/api/alerts?all=1", "/api/guard", "/api/rules", "/api/recent-calls",
             "/api/notifications", "/api/notifications/abc", "/api/call?use_case=a&call_id=b", "/readyz"]
)  # fmt: skip
def test_every_list_answers_on_an_empty_store(running: Any, path: str) -> None:
    """The first thing a new user asks is about nothing."""
    assert ask(running.address, "GET", path)[0] == 200


def test_a_query_returns_columns_and_rows(running: Any) -> None:
    """The demo and the CLI read the same form."""
    answer = json.loads(ask(running.address, "POST", "/api/query", body={"sql": "SELECT 1 AS a, 'x' AS b"})[2])

    assert answer == {"columns": ["a", "b"], "types": ["UInt8", "String"], "rows": [[1, "x"]]}


def test_a_broken_answer_hides_its_traceback(running: Any) -> None:
    """What went wrong inside belongs into the log."""
    running.statuses.append(status(running.parts.now(), alerts=(object(),)))

    code, _, text = ask(running.address, "GET", "/api/use-cases")

    assert code == 500
    assert "AttributeError" in text
    assert "Traceback" not in text

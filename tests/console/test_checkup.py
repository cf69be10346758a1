"""What the doctor finds."""

from typing import Any

import pytest

from tocsin_console.checkup import examine


def state(**changes: Any) -> dict[str, Any]:
    """A tocsin in good health, with one well-kept use case."""
    healthy: dict[str, Any] = {
        "version": "1",
        "clock": "wall",
        "addresses": {"grpc": "127.0.0.1:4317"},
        "data_dir": "/data",
        "disk_free_bytes": 50 << 30,
        "ledger": {"balances": True, "spans_stored": 9, "difference": 0, "unaccounted": 0, "requests_set_aside": 0},
        "collector": {"unfit": ""},
        "watermark": {"lag_s": 1.0},
        "loops": {"engine": {"consecutive_failures": 0, "is_alive": True, "last_error": ""}},
        "channels": [{"name": "pager", "type": "webhook", "severities": ["page"]}],
        "lost_routes": [],
        "notifications": {},
        "failing_rules": [],
        "delivery": delivery(),
        "use_cases": [use_case()],
    }
    return {**healthy, **changes}


def delivery(**changes: Any) -> dict[str, Any]:
    """Everything was sent."""
    return {
        "channels": [{"channel": "pager", "waiting": 0, "last_error": ""}],
        "template_errors": 0,
        "last_error": "",
        **changes,
    }


def use_case(**changes: Any) -> dict[str, Any]:
    """A use case that lacks nothing."""
    kept = {
        "use_case": "digits",
        "verdict": "right",
        "reason": "accuracy 94%",
        "calls": 5000,
        "calls_with_confidence": 5000,
        "outcomes": 400,
        "has_plan": True,
        "owner": "team",
        "floor": 0.9,
    }
    return {**kept, **changes}


def findings(seen: dict[str, Any]) -> list[str]:
    """What is wrong, each with what mends it."""
    found = [check for check in examine(seen) if check.level == "finding"]
    assert all(check.do for check in found)
    return [f"{check.name}: {check.said}" for check in found]


def test_good_health_has_no_findings() -> None:
    """A doctor who always finds something is not listened to."""
    assert findings(state()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": []}, "no page channel configured"),
        ({"lost_routes": ["the escalation of x names the channel 'laed'"]}, "'laed', which there is not"),
        ({"channels": [{"name": "log", "type": "log", "severities": ["page"]}]}, "no page channel configured"),
        ({"channels": [{"name": "mail", "type": "smtp", "severities": ["ticket"]}]}, "no page channel configured"),
        ({"disk_free_bytes": 1 << 20}, "disk"),
        (
            {
                "ledger": {
                    "balances": False,
                    "spans_stored": 9,
                    "kinds": {
                        "spans": {"difference": 1, "unaccounted": 2},
                        "logs": {"difference": 0, "unaccounted": 0},
                    },
                    "requests_set_aside": 0,
                }
            },
            "1 loaded spans are not",
        ),
        ({"ledger": {"balances": True, "spans_stored": 9, "difference": 0, "requests_set_aside": 2}}, "2 requests"),
        ({"watermark": {"lag_s": 3600.0}}, "3600 s behind"),
        ({"loops": {"engine": {"consecutive_failures": 4, "is_alive": True, "last_error": "E"}}}, "4 times in a row"),
        ({"notifications": {"dead": 1}}, "given up"),
        ({"delivery": delivery(channels=[{"channel": "p", "waiting": 2, "last_error": "refused"}])}, "2 messages wait"),
        ({"delivery": delivery(template_errors=1, last_error="unknown name")}, "unknown name"),
        ({"failing_rules": [{"rule": "volume", "last_error": "no table"}]}, "no table"),
        ({"use_cases": []}, "no AI call"),
        ({"use_cases": [use_case(has_plan=False)]}, "has no plan"),
        ({"use_cases": [use_case(owner=None)]}, "has no owner"),
        ({"use_cases": [use_case(floor=None)]}, "no quality floor"),
        ({"use_cases": [use_case(outcomes=0)]}, "no outcomes"),
        ({"use_cases": [use_case(calls_with_confidence=0)]}, "no confidence"),
        ({"use_cases": [use_case(calls=0)]}, "but no calls"),
    ],
)
def test_what_is_missing_is_found(changes: dict[str, Any], said: str) -> None:
    """Each of these once kept somebody from being told."""
    found = findings(state(**changes))

    assert len(found) == 1
    assert said in found[0]


def test_the_test_call_has_no_owner_and_needs_none() -> None:
    """``send-test`` is the first thing people try; it must not leave findings behind."""
    lacking = use_case(use_case="tocsin-test", has_plan=False, owner=None, floor=None, outcomes=0)

    assert findings(state(use_cases=[use_case(), lacking])) == []


def test_a_reading_address_that_was_taken_is_told_and_is_no_finding() -> None:
    """A ClickHouse server on the same machine is nobody's mistake."""
    addresses = {"grpc": "127.0.0.1:4317", "clickhouse_http_off": "not on 127.0.0.1:8123, which another process holds"}

    checks = examine(state(addresses=addresses))

    told = next(check for check in checks if check.name == "reading")
    assert (told.level, "127.0.0.1:8123" in told.said) == ("note", True)
    assert "8123" not in next(check for check in checks if check.name == "addresses").said


def test_a_silent_collector_is_found() -> None:
    """Nobody waits for one that died with a full spool: what it holds is in no slot that was judged meanwhile."""
    heard_at = "2026-03-02T11:00:00Z"
    fleet = [
        {"name": "a", "is_live": True, "heard_at": heard_at, "unfit": ""},
        {"name": "b", "is_live": False, "heard_at": heard_at, "unfit": ""},
    ]

    assert findings(state(collectors=fleet)) == [
        f"collector b: was last heard of at {heard_at}: slots since then may lack what it received"
    ]


def test_tables_that_take_nothing_are_found() -> None:
    """Segments wait without end until somebody mends them, so somebody has to be told what."""
    why = "the view ai_calls_mv is gone"
    fleet = [{"name": "a", "is_live": True, "heard_at": "", "unfit": why}]

    own = findings(state(collector={"unfit": why}, collectors=fleet))
    elsewhere = findings(state(collectors=fleet))

    assert (own, elsewhere) == ([f"tables: {why}"], [f"collector a: {why}"])

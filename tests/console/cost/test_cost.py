"""True cost over a real store."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.console.conftest import NOW, Running

from tocsin_alerts.plan import Plan, Plans
from tocsin_collector.store.database import Database
from tocsin_console.cost.desk import CostDesk

Tocsin = Callable[..., Any]
MINUTE = timedelta(minutes=1)
RATES = {"review_per_hour": 40, "support_per_hour": 60, "incident_per_hour": 120}


def plan(use_case: str, **changes: Any) -> Plans:
    """A plan that says all rates."""
    said = {"use_case": use_case, "budget": {"currency": "USD"}, "rates": RATES, **changes}
    return Plans.of(Plan.model_validate(said))


def calls(store: Database, rows: list[dict[str, Any]]) -> str:
    """Store calls of a session each unless they say otherwise; returns their use case."""
    use_case = f"c{uuid.uuid4().hex[:8]}"
    common = {
        "project": "default",
        "use_case": use_case,
        "served_by": "model",
        "attempt": 1,
        "weight": 1.0,
        "cost": Decimal("0.01"),
        "currency": "USD",
        "input_strings": {},
        "input_numbers": {},
        "ingested_at": NOW,
    }
    store.insert(
        "ai_calls",
        [
            {
                **common,
                "call_id": f"{use_case}-{index}",
                "started_at": NOW - timedelta(days=2),
                "session_id": f"s{index}",
                **row,
            }
            for index, row in enumerate(rows)
        ],
    )
    return use_case


def outcomes(store: Database, use_case: str, rows: list[dict[str, Any]]) -> None:
    """Store outcomes of calls two days ago."""
    common = {
        "project": "default",
        "use_case": use_case,
        "started_at": NOW - timedelta(days=2),
        "observed_at": NOW,
        "served_by": "model",
        "weight": 1.0,
        "minutes": None,
        "correct": None,
    }
    store.insert(
        "outcomes",
        [
            {**common, "call_id": f"{use_case}-{index}", "outcome_id": f"o{index}", **row}
            for index, row in enumerate(rows)
        ],
    )


def bill(store: Database, use_case: str, plans: Plans, **how: Any) -> dict[str, Any]:
    """The bill of 30 days."""
    found = CostDesk(store=store, plans=plans, clock=lambda: NOW).bills("default", use_case, **{"days": 30, **how})
    [made] = found["bills"]
    return made


def line(made: dict[str, Any], name: str) -> dict[str, Any]:
    """One line of a bill."""
    [found] = [each for each in made["lines"] if each["name"] == name]
    return found


def test_a_right_answer_costs_calls_and_people(store: Database) -> None:
    """Forty calls of a cent, two tried again, three asked again, half an hour of review, ten minutes of support."""
    again = [{"session_id": "x", "started_at": NOW - timedelta(days=2) + MINUTE * index} for index in range(4)]
    use_case = calls(store, [{}] * 36 + again + [{"attempt": 2}] * 2)
    right = [{"kind": "ground_truth", "correct": int(index < 30)} for index in range(40)]
    outcomes(store, use_case, [*right, {"kind": "review", "correct": 1, "minutes": 30.0, "call_id": f"{use_case}-0"}])
    outcomes(store, use_case, [{"kind": "support", "minutes": 10.0}])

    made = bill(store, use_case, plan(use_case))

    assert line(made, "calls")["amount"] == pytest.approx(0.37)
    assert line(made, "transport retries")["amount"] == pytest.approx(0.02)
    assert (line(made, "regenerations")["amount"], line(made, "regenerations")["quantity"]) == (pytest.approx(0.03), 3)
    assert line(made, "review")["amount"] == pytest.approx(20.0)
    assert line(made, "support")["amount"] == pytest.approx(10.0)
    assert line(made, "incidents")["amount"] == 0.0
    assert line(made, "judge")["amount"] == 0.0
    assert made["totals"][0]["amount"] == pytest.approx(30.42)
    assert made["right"]["value"] == 0.75
    assert made["per_correct_answer"][0]["amount"] == pytest.approx(30.42 / 30)


def test_what_is_asked_again_is_near_equal_soon_and_by_the_same_user(store: Database) -> None:
    """Somebody who asks something else, later, or is somebody else, was not dissatisfied."""
    at = NOW - timedelta(days=2)

    def asked(session: str, minute: float, text: str, number: float) -> dict[str, Any]:
        return {
            "session_id": session,
            "started_at": at + MINUTE * minute,
            "input_strings": {"page": text},
            "input_numbers": {"words": number},
        }

    use_case = calls(
        store,
        [
            *(asked("a", 0, "x", 100), asked("a", 2, "x", 105)),  # again
            *(asked("b", 0, "x", 100), asked("b", 2, "y", 100)),  # another text
            *(asked("c", 0, "x", 100), asked("c", 2, "x", 150)),  # another length
            *(asked("d", 0, "x", 100), asked("d", 11, "x", 100)),  # later
            *(asked("e", 0, "x", 100), asked("f", 1, "x", 100)),  # somebody else
            *(asked("", 0, "x", 100), asked("", 1, "x", 100)),  # nobody knows
        ],
    )

    made = bill(store, use_case, plan(use_case))

    assert line(made, "regenerations")["quantity"] == 1
    assert line(made, "calls")["quantity"] == 11


def test_what_is_unknown_is_unknown_and_says_why(store: Database) -> None:
    """A zero would be believed: no price, no session, no rate, no contact, no acknowledgement, no labels."""
    use_case = calls(store, [{"session_id": ""}] * 3 + [{"session_id": "", "cost": None, "currency": ""}])
    outcomes(store, use_case, [{"kind": "review", "correct": 1, "minutes": 6.0}])
    event = {"project": "default", "use_case": use_case, "rule": "r", "severity": "page", "incident": "i1"}
    store.insert(
        "alert_events",
        [{**event, "event_id": "e1", "to_state": "firing", "slot": NOW - timedelta(days=1), "at": NOW}],
    )

    made = bill(store, use_case, plan(use_case, rates={}))

    unknown = {each["name"]: each["unknown_because"] for each in made["lines"] if each["amount"] is None}
    assert unknown["calls"].startswith("1 of them have no price")
    assert "no call carries a session" in unknown["regenerations"]
    assert unknown["review"] == "the plan has no rates.review_per_hour"
    assert "no support contact was ever recorded" in unknown["support"]
    assert "never acknowledged" in unknown["incidents"]
    assert made["totals"][0]["amount"] is None
    assert made["totals"][0]["at_least"] == pytest.approx(0.03)
    assert made["correct_answers"] is None


def test_calls_of_a_model_without_a_price_are_not_free(store: Database) -> None:
    """As the SDK sends them of a function of one's own: no attempt, no tokens, no currency."""
    use_case = calls(store, [{"cost": None, "currency": "", "attempt": 0, "session_id": ""}] * 40)

    made = bill(store, use_case, plan(use_case))

    found = line(made, "calls")
    assert (found["amount"], found["quantity"]) == (None, 40)
    assert found["unknown_because"].startswith("40 of them have no price")


def test_an_acknowledged_incident_costs_until_it_ends(store: Database) -> None:
    """The person who was paged worked on it from then on."""
    use_case = calls(store, [{}])
    at = NOW - timedelta(days=1)
    event = {"project": "default", "use_case": use_case, "rule": "r", "severity": "page", "incident": f"i-{use_case}"}
    store.insert(
        "alert_events",
        [
            {**event, "event_id": f"{use_case}1", "to_state": "firing", "slot": at, "at": at},
            {**event, "event_id": f"{use_case}2", "to_state": "resolved", "slot": at, "at": at + MINUTE * 100},
        ],
    )
    told = {"id": use_case, "at": at + MINUTE * 10, "actor": "ana", "action": "acknowledge", "detail": ""}
    store.insert("audit_log", [{**told, "subject": f"i-{use_case}"}])

    made = bill(store, use_case, plan(use_case))

    assert (line(made, "incidents")["quantity"], line(made, "incidents")["amount"]) == (90, pytest.approx(180))


def test_a_page_that_nobody_took_adds_nothing_to_what_is_known(store: Database) -> None:
    """Its minutes are unknown; counted from 1970 they were 44 million dollars."""
    use_case = calls(store, [{}])
    event = {"project": "default", "use_case": use_case, "rule": "r", "severity": "page", "incident": f"i-{use_case}"}
    store.insert(
        "alert_events",
        [{**event, "event_id": use_case, "to_state": "firing", "slot": NOW - timedelta(days=1), "at": NOW}],
    )

    found = line(bill(store, use_case, plan(use_case)), "incidents")

    assert (found["amount"], found["at_least"]) == (None, 0)


def test_the_judge_is_a_line(store: Database) -> None:
    """Watching costs too; an answer that never came counts as was reserved."""
    use_case = calls(store, [{}])
    asked = {"project": "default", "use_case": use_case, "source": "j", "currency": "USD", "spent_on": NOW.date()}
    store.insert(
        "judge_verdicts",
        [
            {**asked, "call_id": "1", "state": "judged", "reserved": Decimal("0.5"), "cost": Decimal("0.2")},
            {**asked, "call_id": "2", "state": "reserved", "reserved": Decimal("0.5"), "cost": None},
        ],
    )

    assert line(bill(store, use_case, plan(use_case)), "judge")["amount"] == pytest.approx(0.7)


def test_a_month_is_projected_by_calls_and_by_days(store: Database) -> None:
    """Twice the calls cost twice; the weekly review does not."""
    use_case = calls(store, [{}] * 10)
    outcomes(store, use_case, [{"kind": "review", "correct": 1, "minutes": 30.0}])

    made = bill(store, use_case, plan(use_case), days=15, calls_per_month=1_000)

    assert line(made, "calls")["amount"] == pytest.approx(10.0)
    assert line(made, "review")["amount"] == pytest.approx(40.0)


def test_the_bill_is_read_at_the_command_line(running: Running, tocsin: Tocsin) -> None:
    """With and without a use case, and as one document."""
    use_case = calls(running.database, [{}] * 3)

    shown = tocsin("cost", use_case)
    month = tocsin("cost", "project", use_case, "--users", 100, "--calls-per-user", 20, "--json")

    assert "price of each call, asked once" in shown.stdout
    assert "per right answer: unknown" in shown.stdout
    assert json.loads(month.stdout)["bills"][0]["lines"][0]["amount"] == pytest.approx(20.0)
    assert tocsin("cost").exit_code == 0
    assert tocsin("cost", "--days", 0).exit_code == 2


@pytest.mark.server
def test_the_bill_is_the_same_on_a_server(store: Database, server_database: Database) -> None:
    """The same statements on ClickHouse 24.10."""
    again = [{"session_id": "x", "started_at": NOW - timedelta(days=2) + MINUTE * index} for index in range(4)]
    bills = []
    for each in (store, server_database):
        use_case = calls(each, again)
        outcomes(each, use_case, [{"kind": "review", "correct": 1, "minutes": 30.0}])
        bills.append(replace_names(bill(each, use_case, plan(use_case))))

    assert bills[0] == bills[1]


def replace_names(made: dict[str, Any]) -> dict[str, Any]:
    """A bill without the name of its use case."""
    return {**made, "use_case": ""}

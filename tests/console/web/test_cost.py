"""What it costs, on pages: the same money as 'tocsin cost', from sums."""

import csv
import io
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.console.conftest import NOW, Running
from tests.console.web.test_calls import HOSTILE, stored
from tests.console.web.test_pages import HTML, get
from tests.databases import Databases

from tocsin_console.cost.desk import CostDesk
from tocsin_console.cost.kept import CHEAP_CALLS, KeptBills
from tocsin_console.cost.spending import OTHERS, added, by_day, main_currency
from tocsin_console.statements import statement
from tocsin_console.web.links import use_case_link
from tocsin_console.web.shown import cash

DAY = timedelta(days=1)


def spent(running: Running, use_case: str = "") -> str:
    """Store calls of two days, two versions and two currencies, one without a price and one of the fallback."""
    rows = [
        {"call_id": "a", "cost": "1.5", "currency": "EUR", "segments": {"tenant": HOSTILE}},
        {"call_id": "b", "cost": "0.5", "currency": "EUR", "attempt": 2, "started_at": NOW - DAY},
        {"call_id": "c", "cost": "4", "currency": "USD", "model_version": HOSTILE},
        {"call_id": "d"},
        {"call_id": "e", "served_by": "fallback"},
    ]
    return stored(running, [{"segments": {}, **row} for row in rows], use_case)


def test_the_page_of_a_use_case_says_what_tocsin_cost_says(running: Running) -> None:
    """Two answers to what it cost are none."""
    use_case = spent(running)

    page = json.loads(get(running.address, f"/cost/default/{use_case}.json")[2])
    [bill] = json.loads(get(running.address, f"/api/cost?use_case={use_case}")[2])["bills"]

    lines = {(line["name"], line["currency"]): line["at_least"] for line in bill["lines"]}
    assert {name: page["bill"][name] for name in bill} == bill
    assert page["total"]["amounts"] == {
        "EUR": lines["calls", "EUR"] + lines["transport retries", "EUR"],
        "USD": lines["calls", "USD"],
    }
    assert (page["total"]["calls"], page["total"]["unpriced"], page["total"]["fallback"]) == (5, 1, 1)


def test_cost_is_listed_by_use_case_version_day_and_segment(running: Running) -> None:
    """Whose bill it is, is asked by whoever pays."""
    use_case = spent(running)

    everything = json.loads(get(running.address, "/cost.json")[2])
    one = json.loads(get(running.address, f"/cost/default/{use_case}.json")[2])
    sheet = list(csv.DictReader(io.StringIO(get(running.address, f"/cost/default/{use_case}.csv")[2])))

    assert {"EUR": 2.0, "USD": 4.0} in [
        row["amounts"] for row in everything["use_cases"] if row["use_case"] == use_case
    ]
    assert [(row["model_version"], row["amounts"]) for row in one["versions"]] == [
        (HOSTILE, {"USD": 4.0}),
        ("m1", {"EUR": 2.0}),
    ]
    assert [(row["segment_value"], row["amounts"]) for row in one["segments"]] == [(HOSTILE, {"EUR": 1.5})]
    assert [row["day"] for row in sheet] == [str((NOW - DAY).date()), str(NOW.date()), str(NOW.date())]


def test_names_in_the_bill_are_shown_as_text(running: Running) -> None:
    """A version and a tenant are named by who sends spans."""
    use_case = spent(running, f"{uuid.uuid4().hex[:6]}/{HOSTILE}")
    link = use_case_link({"project": "default", "use_case": use_case}, "cost")

    pages = [get(running.address, path, HTML | {"x-tocsin-part": "main"}) for path in ("/cost", link)]

    assert [status for status, _, _ in pages] == [200, 200]
    assert all("<script>" not in page and "\u202e" not in re.sub('"[^"]*"', "", page) for _, _, page in pages)
    assert "tocsin prices ls" in pages[1][2]


def test_the_chart_of_cost_is_drawn_where_there_is_a_price(running: Running) -> None:
    """An empty chart says that it cost nothing."""
    priced, unpriced = spent(running), stored(running, [{"call_id": "x"}])

    drawn, missing = (
        get(running.address, f"/charts/cost.svg?project=default&use_case={name}") for name in (priced, unpriced)
    )

    assert (drawn[0], drawn[2]) == (200, "svg of Cost a day in EUR")
    assert missing[0] == 404


@pytest.mark.parametrize("days", ["0", "401", "many"])
def test_days_that_are_none_are_refused(running: Running, days: str) -> None:
    """A bill of no days would be 0."""
    assert get(running.address, f"/cost?days={days}")[0] == 400


def test_a_bill_that_reads_millions_of_calls_waits_until_it_is_asked_for(running: Running) -> None:
    """A page is looked at every few seconds."""
    desk = CostDesk(store=running.database, plans=running.parts.plans, clock=lambda: NOW)
    seconds = [0.0]
    kept, about = KeptBills(desk=desk, clock_s=lambda: seconds[0]), {"project": "default", "use_case": spent(running)}

    many = kept.bill(**about, days=30, calls=CHEAP_CALLS + 1, is_asked=False)
    asked = kept.bill(**about, days=30, calls=CHEAP_CALLS + 1, is_asked=True)
    again = kept.bill(**about, days=30, calls=CHEAP_CALLS + 1, is_asked=False)
    seconds[0] = 601.0
    later = kept.bill(**about, days=30, calls=CHEAP_CALLS + 1, is_asked=False)

    assert (many, later) == (None, None)
    assert asked is not None
    assert again is asked


def cell(amount: float, name: str = "a", currency: str = "EUR") -> dict[str, Any]:
    """One row of the sums."""
    counts = dict.fromkeys(("calls_again", "calls_unpriced", "calls_fallback"), 0)
    return {
        "use_case": name,
        "day": NOW.date(),
        "in_currency": currency,
        "amount": amount,
        "calls_made": 1,
        "calls_priced": 1,
        **counts,
    }


def test_a_chart_has_as_many_colours_as_people_tell_apart_and_every_day() -> None:
    """A day without calls is a gap in the bars, not a bar beside the day before."""
    cells = [cell(float(at), f"u{at}") for at in range(1, 10)] + [cell(5.0, "u1", currency="USD")]
    since = datetime(2026, 3, 1, 12, tzinfo=UTC)

    rows = by_day(cells, lambda each: str(each["use_case"]), currency="EUR", since=since, until=since + 2 * DAY)

    assert list(dict.fromkeys(row["by"] for row in rows)) == ["u9", "u8", "u7", "u6", "u5", OTHERS]
    assert {row["at"] for row in rows} == {f"2026-03-0{day}T00:00:00Z" for day in (1, 2, 3)}
    assert sum(row["value"] for row in rows) == sum(range(1, 10))


def test_currencies_are_never_added_up() -> None:
    """A euro is no dollar."""
    [total] = added([cell(1.0), cell(2.0, currency="USD"), cell(0.0, currency="")], ())

    assert total["amounts"] == {"EUR": 1.0, "USD": 2.0}
    assert main_currency([cell(0.0, currency="")]) == ""


def test_money_is_written_in_four_digits() -> None:
    """0.00 for what a call costs is wrong by all of it."""
    assert [cash(each, "USD") for each in (0.000425031, 0.0, 12.3456, 1234.5, None)] == [
        "0.000425 USD",
        "0.00 USD",
        "12.35 USD",
        "1,234.50 USD",
        "unknown",
    ]


def test_cost_is_read_from_a_server_too(server_databases: Databases) -> None:
    """The statements are asked of two engines."""
    asked = {"project": "", "use_case": "", "since": NOW - DAY, "until": NOW}
    with server_databases.one() as store:
        found = [store.rows(statement(name), asked) for name in ("cost_cells", "cost_segments", "cost_latest")]

    assert found == [[], [], []]

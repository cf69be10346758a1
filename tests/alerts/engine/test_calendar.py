"""Days that are not ordinary: read from the plan, shown, and no ground for a drift alert."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tocsin_alerts import documents
from tocsin_alerts.board import Board
from tocsin_alerts.calendar_days import ordinary, parse_days, spell_days
from tocsin_alerts.errors import DocumentError
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Quality
from tocsin_alerts.series import Batch

DROP = "rule: drop\nsummary: s\nevaluator: accuracy\nseverity: page\nwhen: drop >= 0.02\n"
FLOOR = "rule: floor\nsummary: s\nevaluator: accuracy\nseverity: page\nwhen: value < floor\n"


def days(text: str) -> tuple[date, date]:
    """Read days."""
    return parse_days(text)


def test_days_are_read_with_the_last_one_included() -> None:
    """As people say them: from the 24th to the 26th."""
    assert days("2026-12-24") == (date(2026, 12, 24), date(2026, 12, 24))
    assert spell_days(days("2026-12-24..2026-12-26")) == "2026-12-24..2026-12-26"
    whole = ordinary(
        [days("2026-12-24..2026-12-26")], datetime(2026, 12, 20, tzinfo=UTC), datetime(2026, 12, 30, tzinfo=UTC)
    )
    assert whole == timedelta(days=7)


@pytest.mark.parametrize("said", ["24.12.2026", "2026-12-26..2026-12-24", "2026-13-01", "12"])
def test_what_is_no_day_is_refused_with_its_line(said: str) -> None:
    """A day that is misread leaves an ordinary one out, or lets a holiday in."""
    with pytest.raises(DocumentError, match=r"plan.yaml:3: calendar.0"):
        documents.parse(f"use_case: triage\ncalendar:\n  - {said}\n", path="plan.yaml").into(Plan)


def take(kit: Any, text: str, slot_day: int, **plan: Any) -> list[Any]:
    """Take in one bad day of the default use case."""
    plans = Plans.of(Plan(use_case="triage", quality=Quality(floor=0.9), calendar=["2026-03-02..2026-03-03"], **plan))
    rule = kit.make_rule(text)
    board = Board((), book=kit.make_book(text), plans=plans)
    slot = kit.DAY_0 + slot_day * kit.DAY
    events = board.take(slot, [Batch(rule=rule, samples=[kit.sample(slot, 0.8, baseline=0.94)])])
    return [*events, *(each.status.overlay for each in board.series.values())]


@pytest.mark.parametrize(("slot_day", "is_judged"), [(1, True), (2, False), (3, False), (4, True)])
def test_drift_is_not_judged_on_days_of_the_calendar(kit: Any, slot_day: int, *, is_judged: bool) -> None:
    """A slot is the end of its day: the 2nd and 3rd of March end on the 3rd and 4th. It is shown, and fires nothing."""
    found = take(kit, DROP, slot_day)

    assert len(found) == (2 if is_judged else 1)
    assert found[-1] == ("" if is_judged else "calendar")


def test_a_floor_is_judged_on_a_holiday_too(kit: Any) -> None:
    """What is wrong is wrong on any day: the plan's floor is no reference."""
    assert [event.severity for event in take(kit, FLOOR, 2)[:-1]] == ["page"]


def test_an_evaluator_that_looks_back_a_week_is_not_judged_while_a_holiday_is_in_it(kit: Any) -> None:
    """Or a holiday would be drift for six days after it."""
    rule = kit.make_rule(DROP)
    weekly = kit.make_rule(DROP, accuracy=load_evaluators()["estimated_accuracy"])

    assert (rule.window, weekly.window) == (timedelta(days=1), timedelta(days=7))


@pytest.mark.parametrize(
    ("slot_day", "is_judged"), [(1, True), (2, True), (6, True), (7, False), (13, False), (14, False), (15, True)]
)
def test_labels_are_not_judged_while_a_holidays_calls_are_in_their_week(
    kit: Any, slot_day: int, *, is_judged: bool
) -> None:
    """Labels five days late speak on the 8th of calls from the 24th to the 3rd: not the slot's week counts, but the calls'."""
    plan = Plan(use_case="triage", labels={"delay": "5d"}, calendar=["2026-03-02..2026-03-03"])
    rule = kit.make_rule(DROP, accuracy=load_evaluators()["accuracy"])

    found = rule.observe(kit.sample(kit.DAY_0 + slot_day * kit.DAY, 0.8, baseline=0.94), plan)

    assert found.overlay == ("" if is_judged else "calendar")


def test_every_shipped_evaluator_that_speaks_of_more_than_a_day_says_so() -> None:
    """One that forgets judges a holiday for a week after it. Sums of evidence over months are named: nobody may be blind so long."""
    sums = {"accuracy_cusum", "reviewed_sample", "judged_sample"}
    windows = {name: (each.window, each.lags_labels) for name, each in load_evaluators().items()}
    weekly, late = (
        {name for name, (window, _) in windows.items() if window},
        {n for n, (_, lags) in windows.items() if lags},
    )

    delayed = {name for name, each in load_evaluators().items() if "label_delay_s" in each.sql}

    assert delayed - sums == late
    assert late < weekly
    assert not sums & weekly
    assert {"input_psi", "overrides", "reviewed_accuracy", "judge_accuracy", "review_scores"} < weekly

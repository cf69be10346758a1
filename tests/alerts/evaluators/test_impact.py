"""Whom it concerns, what it costs and what was set off, from a store that was filled by hand."""

from datetime import datetime

import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store
from tests.alerts.evaluators.test_rollups import insert_calls

from tocsin_alerts.impact import impact_of, retraining_of
from tocsin_alerts.message import Impact, Money, Retraining

BEGAN = MONDAY - 2 * DAY


def test_of_nothing_there_is_nothing_to_say(store: Store) -> None:
    """A message must be possible on the first day; that no retraining was set off is known."""
    about = {"project": store.project, "use_case": "triage", "since": BEGAN, "slot": MONDAY}

    assert impact_of(store.database, **about) == Impact(since=BEGAN, calls=0, users=None, money=())  # type: ignore[arg-type]
    assert retraining_of(store.database, **about).state == ""  # type: ignore[arg-type]


def test_money_is_counted_from_the_beginning_by_currency_and_what_has_no_price_is_said(store: Store) -> None:
    """A sum that leaves calls out without a word is a wrong sum."""
    store.calls(BEGAN - HOUR, 500, currency="USD", cost=5)
    store.calls(BEGAN, 100, currency="USD", cost=1.25, unpriced=10)
    store.calls(MONDAY - HOUR, 50, currency="EUR", cost=2)
    store.calls(MONDAY, 500, currency="USD", cost=5)
    store.calls(MONDAY - HOUR, 7, currency="EUR", cost=9, segment_name="device", segment_value="a")

    found = impact_of(store.database, project=store.project, use_case="triage", since=BEGAN, slot=MONDAY)

    assert found.calls == 150
    assert found.money == (
        Money(currency="EUR", spent=2.0, unpriced=0),
        Money(currency="USD", spent=1.25, unpriced=10),
    )


@pytest.mark.parametrize(("users", "counted"), [(["a", "b", "a", ""], 2), (["", ""], None)])
def test_people_are_those_of_the_last_day_and_without_names_not_known(
    store: Store, users: list[str], counted: int | None
) -> None:
    """Nobody named is not nobody."""
    calls = [{"started_at": MONDAY - HOUR, "user_id": user} for user in users]
    insert_calls(store, [*calls, {"started_at": MONDAY - 30 * HOUR, "user_id": "earlier" if counted else ""}])

    assert (
        impact_of(store.database, project=store.project, use_case="triage", since=BEGAN, slot=MONDAY).users == counted
    )


def test_the_last_retraining_since_it_began_is_told(store: Store) -> None:
    """Whoever is paged should not start a second one; the one before was for another trouble."""

    def run(name: str, slot: datetime, state: str, said: str) -> dict[str, object]:
        return {"run": name, "slot": slot, "state": state, "said": said, "action": "train", "version": 1, "at": slot}

    store.insert("retraining_runs", [run("a", BEGAN - DAY, "done", "old"), run("b", MONDAY - DAY, "done", "run 7")])

    found = retraining_of(store.database, project=store.project, use_case="triage", since=BEGAN, slot=MONDAY)

    assert found == Retraining(state="done", action="train", slot=MONDAY - DAY, said="run 7")

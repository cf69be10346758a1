"""What tocsin sees of itself: collectors, spool, rules, dead letters, prices and the outbox."""

from datetime import datetime, timedelta

import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store

from tocsin_alerts.evaluator import evaluate, load_evaluators
from tocsin_alerts.records import Sample

LOOK = timedelta(minutes=5)
EVALUATORS = load_evaluators()


def look(store: Store, name: str, *, at: datetime = MONDAY, **labels: str) -> list[Sample]:
    """Look once, as the engine does, at what is labelled so: tests share the tables."""
    found = evaluate(store.database, EVALUATORS[name], since=at - LOOK, until=at, step_s=300)
    return [sample for sample in found if labels.items() <= sample.labels.items()]


def test_a_collector_is_as_silent_as_its_last_word_is_old(store: Store) -> None:
    """Its senders may go on, into a spool that nobody reads; one that said that it ended is no trouble."""
    heard = {store.project: 700, f"{store.project}-b": 2}
    for collector, seconds in heard.items():
        at = MONDAY - timedelta(seconds=seconds)
        row = {"collector": collector, "complete_to": at - timedelta(seconds=40), "data_complete_to": at, "at": at}
        store.database.insert("watermarks", [row])
    ended = {"collector": f"{store.project}-c", "state": "ended", "at": MONDAY - HOUR}
    store.database.insert("watermarks", [ended])

    silent, talking = (look(store, "tocsin_collectors", collector=name) for name in heard)

    assert [each.value for each in (*silent, *talking)] == [700, 2]
    assert (silent[0].project, silent[0].use_case) == ("default", "tocsin")
    assert look(store, "tocsin_collectors", collector=f"{store.project}-c") == []
    (spool,) = look(store, "tocsin_spool_age", collector=store.project)
    assert spool.value == 40, "as of its last word, not of now: silence is another alert"


def test_a_rule_is_stuck_from_its_first_slot_that_failed(store: Store) -> None:
    """A rule that sees nothing says so nowhere else; one that failed once and went on is well."""
    job = store.project

    def ran(slot: datetime, state: str, *, at: datetime | None = None, rule: str = job) -> None:
        store.database.insert("rule_runs", [{"rule": rule, "slot": slot, "state": state, "at": at or slot}])

    ran(MONDAY - 4 * HOUR, "failed")
    ran(MONDAY - 4 * HOUR, "done", at=MONDAY - 3 * HOUR)
    ran(MONDAY - HOUR, "failed", at=MONDAY - 2 * LOOK)
    ran(MONDAY - 3 * HOUR, "done", rule=f"{job}-gone")
    ran(MONDAY - 2.5 * HOUR, "failed", rule=f"{job}-gone")

    ran(MONDAY - HOUR, "failed", at=MONDAY - 2 * LOOK, rule=f"{job}-told")
    own = {"fingerprint": f"{job}-told", "rule": f"{job}-told", "labels": {"overlay": "error"}, "state": "pending"}
    store.database.insert("alert_state", [{**own, "slot": MONDAY, "since": MONDAY, "at": MONDAY}])

    (told,) = look(store, "tocsin_rules", job=f"{job}-told")
    (stuck,) = look(store, "tocsin_rules", job=job)
    (gone,) = look(store, "tocsin_rules", job=f"{job}-gone")
    (before,) = look(store, "tocsin_rules", job=job, at=MONDAY - 6 * LOOK)
    (slots,) = look(store, "tocsin_slots", at=MONDAY + DAY)

    assert (stuck.value, before.value) == (3600, 1800)
    assert told.value == 0, "it says so under its own name, in each of its use cases"
    assert gone.value == 0, "what is not tried any more is of a rule that is no longer there"
    assert slots.value == (DAY + 3 * HOUR).total_seconds()


def test_letters_are_counted_by_kind_and_none_is_a_measurement(store: Store) -> None:
    """The alert ends by itself once somebody has retried them."""
    row = {"kind": "logs", "digest": store.project, "reason": "x", "at": MONDAY - HOUR}
    before = {each.labels["kind"]: each.value for each in look(store, "tocsin_dead_letters")}
    store.database.insert("dead_letters", [{"project": store.project, **row}])

    after = {each.labels["kind"]: each.value for each in look(store, "tocsin_dead_letters")}

    assert set(after) == {"traces", "logs", "outcomes"}
    assert after == {**before, "logs": (before["logs"] or 0) + 1}


def test_calls_without_a_price_are_those_that_count_tokens(store: Store) -> None:
    """A model of one's own has no price list; a bought one that nobody can price makes every bill wrong."""
    for hours in (1, 20, 30):
        store.calls(MONDAY - hours * HOUR, 100, unpriced=50 if hours == 1 else 0, input_tokens=7, use_case="mail")
        store.calls(MONDAY - hours * HOUR, 100, unpriced=100, input_tokens=0, use_case="digits")

    found = [each for each in look(store, "tocsin_unpriced") if each.project == store.project]

    assert [(each.labels, each.value, each.n) for each in found] == [({"priced": "mail"}, 0.25, 200)]


@pytest.mark.parametrize(
    ("row", "value", "n"),
    [
        ({"state": "pending", "attempts": 0}, 0, 1),
        ({"state": "pending", "attempts": 2}, 3600, 1),
        ({"state": "sent", "attempts": 3}, 0, 1),
        ({"state": "dead", "attempts": 9}, 3600, 1),
        ({"state": "dead", "attempts": 0}, 0, 1),
        ({"state": "dead", "attempts": 9, "at": MONDAY - 2 * DAY}, 0, 1),
    ],
)
def test_a_channel_is_as_late_as_its_oldest_message(store: Store, row: dict[str, object], value: float, n: int) -> None:
    """Tried and not taken, or given up today. A resolve of what never arrived was not tried."""
    channel = store.project
    said = {
        "notification": channel,
        "channel": channel,
        "slot": MONDAY - HOUR,
        "version": 1,
        "at": MONDAY - HOUR,
        **row,
    }
    store.database.insert("notifications", [said])

    (found,) = look(store, "tocsin_outbox", channel=channel)

    assert (found.value, found.n) == (value, n)

"""Whatever happened and wherever the power was cut: after a restart the story is the same."""

from dataclasses import replace
from typing import Any

from bench._alerts.books import Books
from bench._alerts.histories import DAY_0, History, Value, differs, live, run

_GONE: list[Value] = ["gone"] * 30
_SAD = [0.0] * 8 + [0.9] * 12 + [0.0] * 10
HISTORY = History(
    values={
        "accuracy 0": _SAD,
        "null_rate 0": _SAD,
        "null_rate 1": [None] * 30,
        "input_psi 0": _SAD,
        "input_psi 1": ["gone"] * 30,
    },
    ticks=[6, 9, 15, 30],
    hold=1,
    keep=2,
    mode="wall",
    cuts=[(7, True), (3, False)],
)


def test_histories_end_alike_wherever_they_were_cut() -> None:
    """The promise behind every id: a crash between any two writes neither loses nor doubles an alert."""
    lived, differing = run(50)

    assert lived == 50
    assert differing == []


def test_a_history_says_the_same_over_a_real_store(database: Any) -> None:
    """Ten thousand histories over tables in memory prove something only if those answer as the store does."""
    books = Books(DAY_0)

    live(HISTORY, books, kept := [], [0, *HISTORY.ticks], epoch=3)
    live(HISTORY, database, stored := [], [0, *HISTORY.ticks], epoch=3)
    live(HISTORY, books, kept, [30], epoch=4)
    live(HISTORY, database, stored, [30], epoch=4)

    said = database.rows("SELECT * EXCEPT (epoch, at) FROM alert_events FINAL ORDER BY slot, event_id")
    standing = database.rows("SELECT fingerprint, state, since, incident FROM standing_alerts ORDER BY fingerprint")
    assert len(said) > 5
    assert said == books.events()
    assert [tuple(row.values()) for row in standing] == sorted(each[:4] for each in books.standing())
    assert stored == kept


def test_that_a_rule_cannot_be_evaluated_is_told_alike_too() -> None:
    """Its slot is not done while people hear of it: nothing but the journal holds what was said."""
    history = replace(HISTORY, ticks=[6, 9, 12, 15, 30], failing={"null_rate": (8, 20)}, cuts=[(20, True), (2, False)])
    books = Books(DAY_0)

    live(history, books, [], history.looks, epoch=1)

    said = [(each["rule"], each["to_state"]) for each in books.events() if each["labels"] == {"overlay": "error"}]
    assert said == [("nulls", "pending"), ("nulls", "firing"), ("nulls", "resolved")]
    assert differs(history) == ""


def test_a_cut_is_a_cut() -> None:
    """A check that never ends the process finds nothing."""
    assert differs(HISTORY) == ""
    books = Books(DAY_0, cut_at=4)

    cut = live(HISTORY, books, [], [0, *HISTORY.ticks], epoch=1)

    assert cut
    assert books.inserts == 5


def test_an_alert_that_a_later_slot_made_known_is_not_missed_at_an_earlier_one() -> None:
    """Two fields are bad, the limit raises one, both go silent, and the other comes back in the same tick: nobody knew of it meanwhile."""
    left_out: list[Value] = [*[0.5] * 3, *_GONE[:9], *[0.0] * 18]
    raised: list[Value] = [*[0.5] * 8, *_GONE[:22]]
    said = {
        "accuracy 0": _GONE,
        "null_rate 0": _GONE,
        "null_rate 1": _GONE,
        "input_psi 0": left_out,
        "input_psi 1": raised,
    }
    after_states = [(7, True)]  # and before the slots are done

    history = History(values=said, ticks=[3, 14, 20], hold=0, keep=0, mode="data", cuts=after_states)

    assert differs(history) == ""

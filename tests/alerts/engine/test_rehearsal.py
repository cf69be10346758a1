"""Rules tried on history and on the present: the shipped machine, and nothing kept."""

from datetime import timedelta
from typing import Any

import pytest

from tocsin_alerts.plan import Plans
from tocsin_alerts.rehearsal import backtest, dry_run

PAGE = """rule: low
summary: s
evaluator: accuracy
severity: page
when: value < 0.8
clear: value >= 0.9
false_pages_per_year: 0.1
"""


class NoStore:
    """A store that must not be written."""

    def rows(self, sql: str, parameters: Any = None, /) -> list[dict[str, Any]]:
        """Nothing is read but through evaluators."""
        del parameters
        raise AssertionError(sql)

    def insert(self, table: str, rows: Any, /, *, token: str | None = None) -> None:
        """Nothing is journalled."""
        del rows, token
        raise AssertionError(table)


@pytest.fixture
def past(kit: Any) -> Any:
    """Backtest a rule over values by day."""

    def run(values: list[float | None], text: str = PAGE, **given: Any) -> Any:
        def says(_evaluator: str, slot: Any) -> list[Any]:
            at = (slot - kit.DAY_0) // kit.DAY - 1
            return [kit.sample(slot, values[at])] if 0 <= at < len(values) else []

        until = kit.DAY_0 + len(values) * kit.DAY
        return backtest(
            NoStore(), kit.make_rule(text), Plans(), since=kit.DAY_0, until=until, run=kit.FakeWorld(says), **given
        )

    return run


def test_a_backtest_says_how_often_how_long_and_whether_it_flapped(kit: Any, past: Any) -> None:
    """Two fires within a week are one trouble that the rule made two of."""
    found = past([0.95, 0.7, 0.7, 0.95, 0.95, 0.7, 0.95, *[0.95] * 20, 0.7])

    [series] = found.series
    assert (found.fired, found.flapped, found.incidents) == (3, 1, 3)
    day = kit.DAY
    assert series.spans[0] == (kit.DAY_0 + 2 * day, kit.DAY_0 + 4 * day)
    assert series.spans[-1] == (kit.DAY_0 + 28 * day, None)
    assert found.firing_s == timedelta(days=3).total_seconds(), "the last has not lasted yet"


def test_a_slot_without_evidence_is_counted_apart(past: Any) -> None:
    """A rule that never had data did not stay quiet: it said nothing."""
    found = past([0.95, None, None, 0.95])

    assert (found.series[0].slots, found.series[0].slots_without_evidence, found.fired) == (4, 2, 0)


def test_what_a_rule_may_open_is_what_it_was_measured_to(past: Any) -> None:
    """The first incident of a rule may always be a true one; None where nobody measured it."""
    assert past([0.95] * 10).most_incidents() == 1.0
    assert past([0.95] * 10, PAGE.replace("false_pages_per_year: 0.1\n", "")).most_incidents() is None
    assert past([0.95] * 10, PAGE.replace("severity: page", "severity: ticket")).most_incidents() is None


def test_long_history_is_asked_for_in_pieces_and_comes_to_the_same(kit: Any, past: Any) -> None:
    """State goes over from one query to the next: an alert that fires across the seam is one."""
    shares: list[float] = []
    values: list[float | None] = [0.95] * 1200
    values[490:510] = [0.7] * 20

    found = past(values, progress=shares.append)

    assert (found.fired, found.series[0].slots) == (1, 1200)
    assert found.series[0].spans == ((kit.DAY_0 + 491 * kit.DAY, kit.DAY_0 + 511 * kit.DAY),)
    assert shares == [pytest.approx(500 / 1200), pytest.approx(1000 / 1200), 1.0]


@pytest.mark.parametrize(
    ("value", "n", "says", "why"),
    [
        (0.7, 1000, "fires", "value 0.7 < 0.8"),
        (0.95, 1000, "quiet", "value 0.95 < 0.8"),
        (None, 1000, "insufficient data", "n = 1,000, no value"),
        (0.7, 5, "insufficient data", "n = 5"),
    ],
)
def test_a_dry_run_says_what_would_happen_and_why(kit: Any, value: float | None, n: int, says: str, why: str) -> None:
    """Without evidence it says so: quiet is a statement."""
    rule = kit.make_rule(f"{PAGE}min_n: 50\n")
    world = kit.FakeWorld(lambda _evaluator, slot: [kit.sample(slot, value, n=n)])

    [judged] = dry_run(NoStore(), [rule], Plans(), now=kit.DAY_0 + 10 * kit.HOUR, run=world)

    assert (judged.says, judged.why, judged.sample.slot) == (says, why, kit.DAY_0)


def test_a_rule_that_waits_and_one_that_is_not_asked_for_say_so(kit: Any) -> None:
    """A condition that holds is not yet an alert, and a plan may not ask for the rule."""
    world = kit.FakeWorld(lambda _evaluator, slot: [kit.sample(slot, 0.7)])
    waits, unasked = kit.make_rule(f"{PAGE}for: 2\n"), kit.make_rule(f"{PAGE}needs: [floor]\n")

    found = list(dry_run(NoStore(), [waits, unasked], Plans(), now=kit.DAY_0, run=world))

    assert [each.says for each in found] == ["waits", "not asked"]

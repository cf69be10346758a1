"""A rule over hundreds of fields raises its worst alerts and says so; one that has nothing to judge says that too."""

from typing import Any

from tocsin_alerts.board import Batch, Board
from tocsin_alerts.rules import RuleBook


def board_of(kit: Any, text: str) -> tuple[Any, Board]:
    """Make a rule, and a board of its alerts."""
    rule = kit.make_rule(text)
    return rule, Board((), book=RuleBook({rule.name: rule}), plans=kit.make_plan())


def drifted(kit: Any, day: int, values: dict[str, float], use_case: str = "triage") -> list[Any]:
    """Say how far each field has moved."""
    return [kit.sample(kit.at(day), value, labels={"field": name}, use_case=use_case) for name, value in values.items()]


def test_beyond_its_limit_a_rule_keeps_the_worst_and_says_so(kit: Any) -> None:
    """A feature store that lost a join moves four hundred fields: nobody reads four hundred alerts."""
    rule, board = board_of(kit, kit.DRIFT_RULE + "limit: 2\n")
    values = {"a": 0.2, "b": 0.9, "c": 0.05, "d": 0.5, "e": 0.3}

    events = board.take(kit.at(1), [Batch(rule=rule, samples=drifted(kit, 1, values))])

    assert sorted(event.labels["field"] for event in events) == ["b", "d"]
    assert all("2 more like it are beyond the rule's limit of 2" in event.reason for event in events)


def test_an_alert_that_was_raised_stays_whatever_is_worse(kit: Any) -> None:
    """Its end has to be told; taking it out for another would leave it open for ever."""
    rule, board = board_of(kit, kit.DRIFT_RULE + "limit: 1\n")
    board.take(kit.at(1), [Batch(rule=rule, samples=drifted(kit, 1, {"a": 0.2, "b": 0.0}))])

    worse = board.take(kit.at(2), [Batch(rule=rule, samples=drifted(kit, 2, {"a": 0.2, "b": 0.9}))])
    over = board.take(kit.at(3), [Batch(rule=rule, samples=drifted(kit, 3, {"a": 0.0, "b": 0.9}))])
    then = board.take(kit.at(4), [Batch(rule=rule, samples=drifted(kit, 4, {"a": 0.0, "b": 0.9}))])

    assert worse == []
    assert [(event.labels["field"], event.to_state) for event in over] == [("a", "resolved")]
    assert [(event.labels["field"], event.to_state) for event in then] == [("b", "firing")]


def test_a_limit_is_of_each_use_case(kit: Any) -> None:
    """One team's flood must not silence another's only alert."""
    rule, board = board_of(kit, kit.DRIFT_RULE + "limit: 1\n")
    samples = [*drifted(kit, 1, {"a": 0.9, "b": 0.8}), *drifted(kit, 1, {"a": 0.2}, "shop")]

    events = board.take(kit.at(1), [Batch(rule=rule, samples=samples)])

    assert sorted((event.use_case, event.labels["field"]) for event in events) == [("shop", "a"), ("triage", "a")]
    [alone] = [event for event in events if event.use_case == "shop"]
    assert "limit" not in alone.reason


def test_nothing_to_judge_is_a_ticket_under_the_same_labels(kit: Any) -> None:
    """A page rule that has gone blind wakes nobody, since nothing is known to be wrong, and is not forgotten either."""
    rule, board = board_of(kit, kit.FLOOR_RULE + "no_data: 2d\n")
    board.take(kit.at(1), [Batch(rule=rule, samples=[kit.sample(kit.at(1), 0.8, upper=0.81, labels={"v": "1"})])])

    waits = board.take(kit.at(2), [Batch(rule=rule, samples=[])])
    told = board.take(kit.at(3), [Batch(rule=rule, samples=[])])
    back = board.take(
        kit.at(4), [Batch(rule=rule, samples=[kit.sample(kit.at(4), 0.8, upper=0.81, labels={"v": "1"})])]
    )

    assert waits == []
    [event] = told
    assert (event.rule, event.severity, event.to_state, event.value) == ("below-floor", "ticket", "firing", None)
    assert event.labels == {"v": "1", "overlay": "no_data"}
    assert event.reason == "nothing to judge for 2d"
    assert [(each.labels, each.to_state) for each in back] == [({"v": "1", "overlay": "no_data"}, "resolved")]
    own = [each for each in board.series.values() if "overlay" not in each.labels]
    assert [each.status.state for each in own] == ["firing"], "whether it is well was not known meanwhile"


def test_a_version_that_was_replaced_is_not_missed(kit: Any) -> None:
    """Its use case has data, only not under these labels any more."""
    rule, board = board_of(kit, kit.FLOOR_RULE + "no_data: 1d\n")
    board.take(kit.at(1), [Batch(rule=rule, samples=[kit.sample(kit.at(1), 0.95, labels={"v": "1"})])])

    for day in (2, 3):
        sample = kit.sample(kit.at(day), 0.95, labels={"v": "2"})
        assert board.take(kit.at(day), [Batch(rule=rule, samples=[sample])]) == []


def test_too_little_evidence_is_not_nothing(kit: Any) -> None:
    """Three labels a day are few, but somebody sends them."""
    rule, board = board_of(kit, kit.FLOOR_RULE + "no_data: 1d\nmin_n: 50\n")
    board.take(kit.at(1), [Batch(rule=rule, samples=[kit.sample(kit.at(1), 0.95)])])

    for day in (2, 3):
        assert board.take(kit.at(day), [Batch(rule=rule, samples=[kit.sample(kit.at(day), None, n=3)])]) == []

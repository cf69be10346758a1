"""Incidents: what shares one, and when it ends."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin_alerts.board import Board
from tocsin_alerts.plan import Plans
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.series import SUPERSEDED_AFTER, Batch

PAGE = "rule: {name}\nsummary: s\nevaluator: accuracy\nseverity: page\nwhen: value < 0.5\n"
TICKET = "rule: {name}\nsummary: s\nevaluator: input_psi\nseverity: ticket\nwhen: value > 0.1\n"


@pytest.fixture
def play(kit: Any) -> Any:
    """Step a board through days of values: {day: {rule: {label: value}}}."""

    def run(*texts: str, days: dict[int, dict[str, dict[str, float | None]]]) -> tuple[Board, list[AlertEvent]]:
        book = kit.make_book(*texts)
        board = Board((), book=book, plans=Plans())
        events = []
        for day, by_rule in sorted(days.items()):
            slot = kit.DAY_0 + day * kit.DAY
            batches = [
                Batch(
                    rule=rule,
                    samples=[
                        kit.sample(slot, value, labels={"v": label}) for label, value in by_rule[rule.name].items()
                    ],
                )
                for rule in book
                if rule.name in by_rule
            ]
            events += board.take(slot, batches)
        return board, events

    return run


def moves(events: list[AlertEvent], first: datetime) -> list[tuple[int, str, str]]:
    """Shorten events to day, rule and state."""
    return [((event.slot - first).days, event.rule, event.to_state) for event in events]


def test_pages_of_a_use_case_share_one_incident_until_all_are_resolved(play: Any) -> None:
    """On-call is woken once for one trouble, however many rules see it."""
    _, events = play(
        PAGE.format(name="a"),
        PAGE.format(name="b"),
        days={
            0: {"a": {"x": 0.1}, "b": {"x": 0.9}},
            1: {"a": {"x": 0.1}, "b": {"x": 0.1}},
            2: {"a": {"x": 0.9}, "b": {"x": 0.1}},
            3: {"a": {"x": 0.1}, "b": {"x": 0.1}},
            4: {"a": {"x": 0.9}, "b": {"x": 0.9}},
            5: {"a": {"x": 0.1}, "b": {"x": 0.9}},
        },
    )

    assert len({event.incident for event in events[:-1]}) == 1
    assert events[-1].to_state == "firing"
    assert events[-1].incident != events[0].incident


def test_a_rule_that_takes_over_in_the_same_slot_stays_in_the_incident(kit: Any, play: Any) -> None:
    """The estimate clears as the labels confirm: that is one page, not two."""
    _, events = play(
        PAGE.format(name="a"),
        PAGE.format(name="b"),
        days={0: {"a": {"x": 0.1}, "b": {"x": 0.9}}, 1: {"a": {"x": 0.9}, "b": {"x": 0.1}}},
    )

    assert moves(events, kit.DAY_0) == [(0, "a", "firing"), (1, "b", "firing"), (1, "a", "resolved")]
    assert len({event.incident for event in events}) == 1


def test_ten_drifted_fields_are_one_ticket_and_never_part_of_a_page(play: Any) -> None:
    """A ticket's incident is its rule's."""
    fields = {f"field{i}": 0.5 for i in range(10)}
    _, events = play(
        PAGE.format(name="a"),
        TICKET.format(name="t"),
        TICKET.format(name="u"),
        days={0: {"a": {"x": 0.1}, "t": fields, "u": fields}},
    )

    assert len({event.incident for event in events if event.rule == "t"}) == 1
    assert len({event.incident for event in events}) == 3
    assert events[0].severity == "page", "the worst comes first"


def test_ids_do_not_depend_on_the_rules_text(play: Any) -> None:
    """Editing a threshold must not open a second incident at the receiver."""
    days = {0: {"a": {"x": 0.1}}}
    _, before = play(PAGE.format(name="a"), days=days)
    _, after = play(PAGE.format(name="a").replace("0.5", "0.6"), days=days)

    assert (before[0].fingerprint, before[0].event_id, before[0].incident) == (
        after[0].fingerprint,
        after[0].event_id,
        after[0].incident,
    )
    assert before[0].rule_hash != after[0].rule_hash


def test_a_series_that_is_gone_keeps_its_incident_open_while_nothing_else_speaks(kit: Any, play: Any) -> None:
    """An outage of the service is no recovery of its model."""
    board, events = play(PAGE.format(name="a"), days={0: {"a": {"x": 0.1}}, **{day: {"a": {}} for day in range(1, 30)}})

    assert moves(events, kit.DAY_0) == [(0, "a", "firing")]
    (series,) = board.series.values()
    assert (series.status.state, series.status.overlay) == ("firing", "no_data")


def test_a_replaced_version_ends_its_alert_once_the_new_one_has_spoken_for_a_week(kit: Any, play: Any) -> None:
    """Deploying the fix as a new model version must end the incident of the old one."""
    days: dict[int, Any] = {0: {"a": {"v1": 0.1}}, **{day: {"a": {"v2": 0.9}} for day in range(1, 12)}}

    board, events = play(PAGE.format(name="a"), days=days)

    assert moves(events, kit.DAY_0) == [(0, "a", "firing"), (SUPERSEDED_AFTER.days, "a", "resolved")]
    assert "others took over" in events[-1].reason
    assert events[-1].incident == events[0].incident
    assert all(series.incident == "" for series in board.series.values())


def test_only_what_moved_or_is_at_work_is_stored(kit: Any, play: Any) -> None:
    """A thousand calm series must not be written every hour."""
    board, _ = play(PAGE.format(name="a"), days={0: {"a": {"x": 0.9, "y": 0.1}}})
    after = board.copy()
    slot = kit.DAY_0 + kit.DAY

    after.take(
        slot,
        [
            Batch(
                rule=kit.make_rule(PAGE.format(name="a")),
                samples=[kit.sample(slot, 0.8, labels={"v": "x"}), kit.sample(slot, 0.1, labels={"v": "y"})],
            )
        ],
    )

    assert [series.labels["v"] for series in after.changed_since(board)] == ["y"]


VALUES = st.sampled_from([0.1, 0.9, None, "gone"])


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=14))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_comes_transitions_chain_and_open_pages_share_one_incident(
    play: Any, days: list[tuple[Any, ...]]
) -> None:
    """One open incident a group, every event continues where the last ended, and the same story gives the same ids."""
    texts = (PAGE.format(name="a"), PAGE.format(name="b") + "for: 1\nkeep_firing_for: 2\n")
    story = {
        day: {
            "a": {label: v for label, v in (("x", values[0]), ("y", values[1])) if v != "gone"},
            "b": {} if values[2] == "gone" else {"x": values[2]},
        }
        for day, values in enumerate(days)
    }

    board, events = play(*texts, days=story)

    standing: dict[str, str] = {}
    open_incidents: dict[str, str] = {}
    for event in events:
        assert event.from_state == standing.get(event.fingerprint, "inactive")
        standing[event.fingerprint] = event.to_state
        assert bool(event.incident) == (event.to_state in ("firing", "recovering", "resolved"))
        if event.to_state == "firing":
            open_incidents[event.fingerprint] = event.incident
        elif event.to_state == "resolved":
            assert open_incidents.pop(event.fingerprint) == event.incident
        assert len(set(open_incidents.values())) <= 1
    assert {s.fingerprint: s.incident for s in board.series.values() if s.incident} == open_incidents
    assert play(*texts, days=story)[1] == events
    assert len({event.event_id for event in events}) == len(events)

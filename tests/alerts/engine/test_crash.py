"""Crash anywhere and replay: the same tables, the same ids, and every sink has heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

TABLES = {
    "evaluations": "project, use_case, evaluator, labels, slot",
    "alert_events": "slot, event_id",
    "alert_state": "fingerprint",
    "rule_runs": "rule, slot",
}
HOURS = (24, 33, 48, 110)  # ticks over five days: live, caught up, live, caught up
WRITES = 5  # of the first tick: takeover, samples, events, states, runs


@dataclass
class Crash(Exception):  # noqa: N818 - a power cut
    """The process ends here."""


@dataclass
class CrashingQuery:
    """A store that ends the process around its k-th insert: before it, or after it was stored."""

    inner: Any
    crash_at: int = -1
    after: bool = False
    inserts: list[str] = field(default_factory=list)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Read from the real store."""
        return self.inner.rows(sql, parameters)  # type: ignore[no-any-return]

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Write to the real store, or end."""
        dies = len(self.inserts) == self.crash_at
        self.inserts.append(table)
        if dies and not self.after:
            raise Crash
        self.inner.insert(table, rows, token=token)
        if dies:
            raise Crash


def tables(database: Any) -> dict[str, list[dict[str, Any]]]:
    """Read everything that the engine writes."""
    found = {name: database.rows(f"SELECT * FROM {name} FINAL ORDER BY {key}") for name, key in TABLES.items()}
    for run in found["rule_runs"]:
        run.pop("duration_ms")  # the machine's, not the story's
        run.pop("rows_read")
    return found


def wipe(database: Any) -> None:
    """Forget everything that the engine has written."""
    for name in (*TABLES, "takeovers"):
        database.command(f"TRUNCATE TABLE {name}")


def says(kit: Any) -> Any:
    """Tell a story with an hourly and a daily page, a ticket over two fields, and an end."""

    def answer(evaluator: str, slot: datetime) -> list[Any]:
        hours = (slot - kit.DAY_0) / kit.HOUR
        if evaluator == "accuracy":
            value = 0.8 if 40 < hours < 90 else 0.95
            return [kit.sample(slot, value, upper=value + 0.01, labels={"model_version": "v1"})]
        if evaluator == "input_psi":
            return [kit.sample(slot, 0.3 if hours > 40 else 0.0, labels={"field": name}) for name in ("ink", "device")]
        return [kit.sample(slot, 0.5 if 30 < hours < 80 else 0.0, labels={"field": "ink"})]

    return kit.FakeWorld(answer)


def story(kit: Any, query: Any, sink: Any, mode: str, hours: list[int]) -> None:
    """Tick through the hours that are left; the one in which the process ends stays."""
    book = kit.make_book(kit.FLOOR_RULE, kit.NULL_RULE, kit.DRIFT_RULE)
    engine = kit.make_engine(query, book, says(kit), sink, clock_mode=mode)
    while hours:
        now = kit.DAY_0 + timedelta(hours=hours[0])
        engine.tick(now, now)
        hours.pop(0)


@pytest.mark.parametrize("mode", ["wall", "data"])
def test_a_crash_around_any_write_changes_nothing_in_the_end(kit: Any, database: Any, mode: str) -> None:
    """Promise: crash at any step and replay gives the same rows, so the receiver's dedup key removes duplicates."""
    database.insert(
        "ai_calls_1h",
        [{"project": "default", "use_case": "triage", "hour": kit.DAY_0, "calls": 10, "segment_name": ""}],
    )
    whole, undisturbed = CrashingQuery(database), kit.FakeSink()
    story(kit, whole, undisturbed, mode, list(HOURS))
    expected = tables(database)
    assert len(expected["alert_events"]) == 7

    for crash_at, table in enumerate(whole.inserts):
        # After one insert is before the next, but for the events: the sinks hear between them and the states.
        for after in (False, True) if table == "alert_events" else (False,):
            wipe(database)
            sink = kit.FakeSink()
            left = list(HOURS)
            with pytest.raises(Crash):
                story(kit, CrashingQuery(database, crash_at=crash_at, after=after), sink, mode, left)

            story(kit, database, sink, mode, left)

            assert tables(database) == expected, f"crash {'after' if after else 'before'} insert {crash_at}"
            assert sink.incidents() == undisturbed.incidents()
            heard = {(e.event_id, e.incident) for _, _, told in sink.told for e in told}
            assert heard == {(row["event_id"], row["incident"]) for row in expected["alert_events"]}


def test_a_failed_write_within_a_process_is_mended_by_the_next_tick(kit: Any, database: Any) -> None:
    """The store was away for a moment: no restart is needed, and nobody is told twice under another id."""
    world = kit.FakeWorld(lambda _evaluator, slot: [kit.sample(slot, 0.8, upper=0.81)])
    for crash_at in range(WRITES):
        wipe(database)
        query, sink = CrashingQuery(database, crash_at=crash_at), kit.FakeSink()
        engine = kit.make_engine(query, kit.make_book(kit.FLOOR_RULE), world, sink)
        now = kit.DAY_0 + kit.DAY
        with pytest.raises(Crash):
            engine.tick(now, now)

        engine.tick(now, now)

        live = [event for _, was_live, told in sink.told if was_live for event in told]
        assert {event.to_state for event in live} == {"firing"}
        assert len({(event.event_id, event.incident) for event in live}) == 1
        assert engine.evaluated_through() == now


def test_a_sink_that_fails_hears_again(kit: Any, database: Any) -> None:
    """An alert that delivery could not take in must not be lost; the guard hears it again under the same id."""
    world = kit.FakeWorld(lambda _evaluator, slot: [kit.sample(slot, 0.8, upper=0.81)])
    guard, delivery = kit.FakeSink(), kit.FakeSink(fails=1)
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), world, guard, delivery)
    now = kit.DAY_0 + kit.DAY
    with pytest.raises(ConnectionError):
        engine.tick(now, now)

    engine.tick(now, now)
    engine.tick(now, now)

    assert delivery.moves(live=True) == [("below-floor", "firing")]
    assert len({event.event_id for _, _, told in guard.told for event in told}) == 1


def test_a_stored_transition_outweighs_data_that_arrived_since(kit: Any, database: Any) -> None:
    """Late labels may change the sample, but what has been decided and perhaps told stays decided."""
    value = [0.8]
    world = kit.FakeWorld(lambda _evaluator, slot: [kit.sample(slot, value[0], upper=value[0] + 0.01)])
    book, now = kit.make_book(kit.FLOOR_RULE), kit.DAY_0 + kit.DAY
    engine = kit.make_engine(CrashingQuery(database, crash_at=3), book, world)
    with pytest.raises(Crash):
        engine.tick(now, now)
    value[0] = 0.95
    sink = kit.FakeSink()

    kit.make_engine(database, book, world, sink).tick(now, now)

    assert sink.moves(live=True) == [("below-floor", "firing")]
    assert database.rows("SELECT state FROM alert_state FINAL") == [{"state": "firing"}]

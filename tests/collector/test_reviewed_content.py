"""Content goes 30 days after somebody reviewed its call, everywhere it lies; evidence that nobody has reviewed stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import count, loaded, trace_request

from tocsin_collector.privacy.disk_use import look
from tocsin_collector.privacy.reviewed import ReviewedContent, delete_reviewed
from tocsin_collector.store.database import Database
from tocsin_collector.store.retention import Kept, keep, kept

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
STARTED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def outcome(number: int, kind: str, arrived: datetime) -> dict[str, Any]:
    """One row of `outcomes`."""
    return {
        "project": "default",
        "use_case": "ticket-triage",
        "call_id": f"c{number}",
        "started_at": STARTED,
        "kind": kind,
        "source": "ana",
        "outcome_id": f"o{number}{kind}",
        "observed_at": arrived,
        "score": 1.0,
        "segments": {},
        "received_at": arrived,
        "ingested_at": arrived,
    }


def with_content(database: Database) -> set[str]:
    """Name the calls of which content is kept, wherever it is kept."""
    found = database.rows(
        "SELECT call_id FROM call_content UNION DISTINCT SELECT call_id FROM ai_calls WHERE output_text != ''"
        " UNION DISTINCT SELECT SpanAttributes['tocsin.call.id'] AS call_id FROM otel_traces"
        " WHERE mapContains(SpanAttributes, 'gen_ai.input.messages') OR mapContains(SpanAttributes, 'tocsin.output.text')"
    )
    return {row["call_id"] for row in found}


@pytest.fixture
def contents(run: Run, database: Database) -> Database:
    """Calls c1 to c6, each with what was asked and answered."""
    collector, client = run()
    for number in range(1, 7):
        said = {
            "gen_ai__input__messages": "[help me]",
            "tocsin__output__text": "turn it off",
            "tocsin__output__label": "x",
        }
        client.export(
            trace_request(number=number, tocsin__call__id=f"c{number}", tocsin__review__pick="review", **said)
        )
    loaded(collector)
    assert database.rows("SELECT DISTINCT pick FROM call_content") == [{"pick": "review"}]
    return database


def test_content_goes_when_its_time_has_come_and_nothing_else_does(contents: Database) -> None:
    """Reviewed long ago, lately, labelled, judged, thumbed, never."""
    long_ago, lately = NOW - 31 * DAY, NOW - 29 * DAY
    said = [
        outcome(1, "review", long_ago),
        outcome(2, "review", lately),
        outcome(3, "ground_truth", long_ago),
        outcome(4, "judge", long_ago),
        outcome(5, "feedback", long_ago),
    ]
    contents.insert("outcomes", said)
    job = ReviewedContent(contents, after=30 * DAY, now=lambda: NOW)

    first, second = job.turn(), job.turn()

    assert (first, second) == (2, 0)
    assert with_content(contents) == {"c2", "c4", "c5", "c6"}
    assert (count(contents, "ai_calls"), count(contents, "otel_traces")) == (6, 6)
    assert count(contents, "ai_calls", "output_label = 'x'") == 6
    assert contents.rows("SELECT SpanAttributes['tocsin.output.label'] AS label FROM otel_traces LIMIT 1 BY label") == [
        {"label": "x"}
    ]
    [told] = contents.rows("SELECT actor, detail FROM audit_log WHERE action = 'delete reviewed content'")
    assert told["actor"] == "retention"
    assert told["detail"].startswith("content of 2 calls")


def test_what_becomes_due_goes_with_the_next_turn_and_late_content_within_a_day(contents: Database) -> None:
    """A look at everything is taken once a day, at what is new every time."""
    clock = [NOW]
    job = ReviewedContent(contents, after=30 * DAY, now=lambda: clock[0])
    contents.insert("outcomes", [outcome(1, "review", NOW - 30 * DAY + timedelta(minutes=5))])

    turns = [job.turn()]
    clock[0] = NOW + timedelta(hours=1)
    contents.insert("outcomes", [outcome(2, "review", NOW - 200 * DAY)])  # it waited for its call until now
    turns.append(job.turn())
    clock[0] = NOW + timedelta(hours=25)
    turns.append(job.turn())

    assert turns == [0, 1, 1]
    assert with_content(contents) == {"c3", "c4", "c5", "c6"}


def test_an_interrupted_deletion_is_found_again(contents: Database) -> None:
    """The table by which content is found is emptied last."""
    contents.insert("outcomes", [outcome(1, "review", NOW - 31 * DAY)])

    class Failing:
        """A store that fails before its last statement."""

        rows = staticmethod(contents.rows)
        insert = staticmethod(contents.insert)

        def command(self, sql: str, **how: Any) -> None:
            """Run all but one."""
            if "call_content" in sql:
                raise ConnectionError("gone")
            contents.command(sql, **how)

    about = {"since": NOW - 90 * DAY, "before": NOW - 30 * DAY, "now": NOW}
    with pytest.raises(ConnectionError):
        delete_reviewed(Failing(), **about)

    assert delete_reviewed(contents, **about) == 1
    assert "c1" not in with_content(contents)


def test_somebody_may_keep_content_as_long_as_its_tables_say(contents: Database) -> None:
    """By a setting."""
    contents.insert("outcomes", [outcome(1, "review", NOW - 300 * DAY)])

    assert ReviewedContent(contents, after=None, now=lambda: NOW).turn() == 0
    assert "c1" in with_content(contents)


def content(call_id: str, pick: str, age_days: int) -> dict[str, Any]:
    """One row of `call_content`."""
    arrived = NOW - age_days * DAY
    return {"project": "default", "call_id": call_id, "at": STARTED, "kind": "input", "content": "help", "pick": pick, "ingested_at": arrived}  # fmt: skip


def test_evidence_outlives_content_that_somebody_asked_for(database: Database) -> None:
    """Unreviewed evidence is not dropped while other content is; both have an end."""
    rows = [content("asked", "", 31), content("new", "", 29), content("picked", "review", 399), content("old", "review", 401)]  # fmt: skip
    database.insert("call_content", rows)

    database.command("OPTIMIZE TABLE call_content FINAL")

    assert {row["call_id"] for row in database.rows("SELECT call_id FROM call_content")} == {"new", "picked"}


def test_both_periods_are_settings(database: Database) -> None:
    """Changed in one statement, so that evidence is never without its own; a second start changes nothing."""
    where = (database.address.database,)

    def now() -> Kept:
        return next(each for each in kept(database, where) if each.table == "call_content")

    shipped = now()
    changes = [
        keep(database, {"call_content": 7 * DAY}, databases=where),
        keep(database, {"call_content": 7 * DAY}, databases=where),
        keep(database, {"call_content": 7 * DAY}, databases=where, evidence=90 * DAY),
        keep(database, {"call_content": 7 * DAY}, databases=where, evidence=None),
        keep(database, {"call_content": None}, databases=where),
        keep(database, {"call_content": 30 * DAY}, databases=where, evidence=DAY),
    ]

    assert shipped == Kept(table="call_content", days=30, evidence_days=400)
    assert [[(one.days, one.evidence_days) for one in each] for each in changes] == [
        [(7, 400)],
        [],
        [(7, 90)],
        [(7, None)],
        [(None, None)],
        [(30, 30)],
    ]
    assert now() == Kept(table="call_content", days=30, evidence_days=30)


def test_making_room_never_takes_unreviewed_evidence(database: Database, tmp_path: Path) -> None:
    """`tocsin disk --drop` may take a day of content, but not one that somebody has yet to review."""
    database.insert("call_content", [content("picked", "review", 1)])
    database.insert("call_content", [{**content("asked", "", 1), "at": STARTED + DAY}])

    (tmp_path / "spool").write_bytes(bytes(100_000))

    use = look(database, tmp_path, limit_bytes=100)

    assert [each.partition for each in use.would_drop if each.table == "call_content"] == ["2026-03-03"]


@pytest.mark.server
def test_a_server_keeps_and_deletes_the_same(server_database: Database) -> None:
    """Its version writes the two periods in words of its own, and mutates as the embedded engine does."""
    where = (server_database.address.database,)
    server_database.insert(
        "call_content", [content("c1", "review", 40), content("c2", "review", 40), content("c3", "", 1)]
    )
    server_database.insert("outcomes", [outcome(1, "review", NOW - 31 * DAY)])

    changed = [
        keep(server_database, {}, databases=where),
        keep(server_database, {}, databases=where, evidence=90 * DAY),
    ]
    done = delete_reviewed(server_database, since=NOW - 90 * DAY, before=NOW - 30 * DAY, now=NOW)

    assert changed == [[], [Kept(table="call_content", days=30, evidence_days=90)]]
    assert done == 1
    left = server_database.rows("SELECT call_id FROM call_content ORDER BY call_id")
    assert [row["call_id"] for row in left] == ["c2", "c3"]

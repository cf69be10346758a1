"""A file of labels against a real collector and its store: what becomes of each row, and that again changes nothing."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.collector.sending import START_NS, loaded, trace_request
from tests.databases import Databases

from tocsin_collector.collector import Collector
from tocsin_collector.correct.waiting_outcomes import resolve_outcomes
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.store.database import Database
from tocsin_console.errors import Unreachable
from tocsin_console.labels.columns import match
from tocsin_console.labels.files import opened
from tocsin_console.labels.loading import Finding, Loader, Report
from tocsin_console.outcomes import OutcomeDesk, record_outcomes
from tocsin_console.statements import statement
from tocsin_wire import pack_handle
from tocsin_wire.v1.outcomes_pb2 import CallRef

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


class Desk:
    """What `tocsin outcomes load` does, without the wire."""

    def __init__(self, database: Database, collector: Collector, folder: Path, project: str) -> None:
        self._desk = OutcomeDesk(database, lambda said: record_outcomes(collector.record, said), now=lambda: NOW)
        self.project = project
        self._file = folder / "labels.csv"
        self._collector = collector
        self.database = database
        self.posts = 0
        self.failures = 0

    def post(self, outcomes: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> Sequence[Mapping[str, Any]]:
        """Answer one chunk."""
        self.posts += 1
        if self.failures:
            self.failures -= 1
            raise Unreachable("no tocsin answers")
        rows: list[dict[str, Any]] = self._desk.load(outcomes, project=self.project, dry_run=dry_run)["rows"]
        return rows

    def load(self, rows: Sequence[Sequence[str]], *, dry_run: bool = False, **given: str) -> Report:
        """Write a file, load it, and have what it recorded stored and joined."""
        with self._file.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        read = opened(self._file)
        loader = Loader(
            lambda outcomes: self.post(outcomes, dry_run=dry_run),
            columns=match(read.names, {}),
            given=given,
            project=self.project,
            dry_run=dry_run,
            pause=lambda _: None,
        )
        report = loader.load(read)
        loaded(self._collector)
        resolve_outcomes(self.database)
        return report


@pytest.fixture(scope="module")
def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Collector]]:
    """A collector over a store, for all tests here: each has a project of its own in it."""
    with databases.one() as database:
        settings = CollectorSettings(
            data_dir=tmp_path_factory.mktemp("data"), grpc_address="127.0.0.1:0", http_address="127.0.0.1:0"
        )
        collector = Collector(settings, database)
        collector.start()
        yield database, collector
        collector.stop()


@pytest.fixture
def desk(shared: tuple[Database, Collector], tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """Two calls, order-1 and order-2, that answered billing."""
    database, collector = shared
    project = request.node.name[5:45]
    for number in (1, 2):
        said = {"tocsin__call__key": f"order-{number}", "gen_ai__response__id": f"r-{number}"}
        spans = trace_request(number=number, tocsin__output__label="billing", **said)
        collector._intake.take_spans(spans.SerializeToString(), project=project)  # as by an ingest key of the project
    loaded(collector)
    return Desk(database, collector, tmp_path, project)


def counts(report: Report) -> dict[str, int]:
    """What became of the rows, without zeros."""
    names = ("rows", "recorded", "matched", "waiting", "duplicate", "contradictory", "malformed")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def stored(desk: Desk) -> list[tuple[str, str, str]]:
    """What the store holds of outcomes, waiting ones too."""
    about = {"project": desk.project}
    joined = desk.database.rows(
        "SELECT call_id, label, source FROM outcomes FINAL WHERE project = {project:String} ORDER BY ALL", about
    )
    waiting = desk.database.rows(
        "SELECT business_key AS call_id, label, source FROM outcomes_waiting FINAL"
        " WHERE project = {project:String} AND NOT is_resolved ORDER BY ALL",
        about,
    )
    return [(row["call_id"], row["label"], row["source"]) for row in (*joined, *waiting)]


def test_every_row_has_one_fate_and_its_line(desk: Desk) -> None:
    """Matched, waiting, duplicate, malformed; and what contradicts is recorded and told."""
    report = desk.load(
        [
            ("key", "label"),
            ("order-1", "billing"),
            ("order-2", "hardware"),
            ("order-1", "billing"),
            ("order-9", "billing"),
            ("", "billing"),
            ("order-1", "hardware"),
            ("order-1",),
        ]
    )

    assert counts(report) == {
        "rows": 7,
        "recorded": 4,
        "matched": 3,
        "waiting": 1,
        "duplicate": 1,
        "contradictory": 1,
        "malformed": 2,
    }
    assert sorted((one.line, one.what) for one in report.findings) == [
        (4, "duplicate"),
        (5, "waiting"),
        (6, "malformed"),
        (7, "contradictory"),
        (8, "malformed"),
    ]
    [told] = [one.reason for one in report.findings if one.what == "contradictory"]
    assert told == "'hardware' against 'billing', which line 2 says, of one call (ground_truth)"
    assert len(stored(desk)) == 4


def test_the_same_file_twice_changes_nothing(desk: Desk) -> None:
    """Label jobs are re-run; by key, by response id and by handle, found or not."""
    handle = pack_handle(CallRef(use_case="digits", call_id="c9", started_unix_nano=START_NS, label="7"))
    rows = [
        ("key", "response_id", "handle", "label", "score"),
        ("order-1", "", "", "billing", ""),
        ("", "r-2", "", "hardware", "0.25"),
        ("order-9", "", "", "billing", ""),
        ("", "", handle, "7", ""),
    ]
    first = desk.load(rows)
    before = stored(desk)

    second = desk.load(rows)

    assert counts(first) == {"rows": 4, "recorded": 4, "matched": 3, "waiting": 1}
    assert counts(second) == {"rows": 4, "duplicate": 4}
    assert (stored(desk), len(before)) == (before, 4)


def test_sent_again_before_it_is_known_it_is_still_one(desk: Desk) -> None:
    """Two people load one file at the same moment: ids are derived from what is said, so nothing doubles."""
    said = [{"call": {"key": "order-1"}, "label": "billing", "kind": "ground_truth", "source": "labels"}]
    desk.post(said)
    desk.post(said)

    desk.load([("key", "label"), ("order-1", "billing")])

    assert [row[1:] for row in stored(desk)] == [("billing", "labels")]


def test_a_dry_run_says_the_same_and_records_nothing(desk: Desk) -> None:
    """A look before the leap."""
    report = desk.load([("key", "label"), ("order-1", "billing"), ("order-9", "x")], dry_run=True)

    assert counts(report) == {"rows": 2, "matched": 1, "waiting": 1}
    assert stored(desk) == []


def test_what_contradicts_an_earlier_source_is_kept_counted_and_listed(desk: Desk) -> None:
    """Two annotators disagree: neither may win in silence."""
    desk.load([("key", "label"), ("order-1", "billing"), ("order-2", "billing")], source="ana")

    report = desk.load([("response_id", "label"), ("r-1", "hardware"), ("r-2", "billing")], source="ben")

    assert counts(report) == {"rows": 2, "recorded": 2, "matched": 2, "contradictory": 1}
    assert report.findings == [
        Finding(
            line=2,
            what="contradictory",
            reason="'hardware' against 'billing', which ana said before, of one call (ground_truth)",
        )
    ]
    about = {"project": desk.project, "use_case": "ticket-triage", "limit": 10}
    [listed] = desk.database.rows(statement("contradictory_outcomes"), about)
    assert (sorted(listed["labels"]), sorted(listed["sources"]), listed["outcomes"]) == (
        ["billing", "hardware"],
        ["ana", "ben"],
        2,
    )
    counted = {row["project"]: row for row in desk.database.rows(statement("contradictory_counts"))}
    assert counted[desk.project] == {
        "project": desk.project,
        "use_case": "ticket-triage",
        "calls_contradictory": 1,
    }


def test_a_verdict_contradicts_a_label_that_says_the_opposite(desk: Desk) -> None:
    """The call answered billing: who says that this was wrong cannot say that billing is true."""
    desk.load([("key", "label"), ("order-1", "billing")], source="ana")

    wrong = desk.load([("key", "correct"), ("order-1", "no")], source="ben")
    right = desk.load([("key", "correct"), ("order-1", "yes")], source="cleo")
    thumb = desk.load([("key", "thumb"), ("order-1", "down")])

    assert [one.contradictory for one in (wrong, right, thumb)] == [
        1,
        1,
        0,
    ]  # cleo against ben; a thumb is another kind


def test_a_collector_that_restarts_is_waited_for(desk: Desk) -> None:
    """A long load survives it."""
    desk.failures = 3

    report = desk.load([("key", "label"), ("order-1", "billing")])

    assert (report.recorded, desk.posts) == (1, 4)


def test_a_collector_that_stays_away_ends_it_with_what_was_done(desk: Desk) -> None:
    """And says that the file may simply be loaded again."""
    desk.failures = 99

    with pytest.raises(Unreachable, match=r"0 outcomes were recorded so far: load the file again, nothing is doubled"):
        desk.load([("key", "label"), ("order-1", "billing")])


def test_a_large_file_goes_in_chunks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds one of them at a time; duplicates are known across."""
    monkeypatch.setattr("tocsin_console.labels.loading._CHUNK_ROWS", 100)
    rows = [(f"order-{n % 900}", "billing") for n in range(1_000)]

    report = desk.load([("key", "label"), *rows])

    assert (report.recorded, report.duplicate, report.matched, desk.posts) == (900, 100, 2, 9)

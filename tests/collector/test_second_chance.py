"""What a table refuses, what is set aside, and what is queued again by hand: nothing twice, nothing lost, nobody blocked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import Client, count, eventually, loaded, trace_request
from tests.collector.test_loading import Down, Refusing

from tocsin_collector.collector import Collector
from tocsin_collector.errors import RequestRejected, StoreRejected
from tocsin_collector.load import loader
from tocsin_collector.load.ledger import Ledger
from tocsin_collector.load.stores import EmbeddedStore
from tocsin_collector.spool import spool_look
from tocsin_collector.spool.recovery import trusted
from tocsin_collector.spool.second_chance import DeadLetters, batches_of, kind_of
from tocsin_collector.spool.segments import Segment, read
from tocsin_collector.store.database import Database


class Choosy(Refusing):
    """A store whose tables refuse a word, though everything decodes; what it stores before that is told by `before`."""

    def __init__(self, database: Database, before: Callable[[Segment], None] = lambda _: None) -> None:
        super().__init__(database, b"poison")
        self.before = before
        self.is_mended = False
        self.inserts = 0

    def insert(self, segment: Segment) -> None:
        """Refuse the segment, or store it."""
        self.inserts += 1
        if not self.is_mended and self.word in segment.path.read_bytes():
            self.before(segment)
            raise StoreRejected("a table refuses this")
        self.real.insert(segment)

    def check(self, kind: object, path: Path) -> None:
        """Everything decodes."""
        self.real.check(kind, path)  # type: ignore[arg-type]


def poisoned_among_others(collector: Collector, client: Client) -> None:
    """Send eight requests in one segment, the sixth of which a table refuses."""
    for number in range(8):
        client.export(trace_request(2, number=number, word="poison" if number == 5 else f"w{number}"))
    assert collector.stats().received_requests == 8


def test_request_that_a_view_refuses_is_found_by_halving(run: Run, database: Database) -> None:
    """No table holds a row: the halves load each by itself until the one request stands alone; all others are stored."""
    collector, client = run(store=Choosy(database), quiet_s=0.5)

    poisoned_among_others(collector, client)
    loaded(collector)

    stats = collector.stats()
    [letter] = DeadLetters(database).listed()
    assert count(database, "otel_traces") == count(database, "ai_calls") == 14
    assert (stats.received_spans, stats.stored_spans, stats.dead_lettered_spans, stats.spool_bytes) == (16, 14, 2, 0)
    assert "a table refuses this" in letter.reason
    assert letter.together == 0


def test_segment_that_some_tables_hold_is_loaded_whole_again(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halving it would double what is stored: it stays whole, never blocks the others, and is set aside as one."""
    monkeypatch.setattr(loader, "_FIRST_PAUSE_S", 0.01)
    store = Choosy(database, before=lambda segment: hold_part(database, segment))
    collector, client = run(store=store, quiet_s=0.5)

    poisoned_among_others(collector, client)
    eventually(lambda: store.inserts > 0)
    client.export(trace_request(2, number=20))
    loaded(collector)

    letters = DeadLetters(database).listed()
    assert [letter.together for letter in letters] == [8] * 8
    assert store.inserts >= 7
    assert count(database, "otel_traces", "segment != 'x'") == 3  # the later request, and the row that was held
    assert collector.stats().dead_lettered_requests == 8


def hold_part(database: Database, segment: Segment) -> None:
    """Have one table hold a row of a segment, once."""
    if not count(database, "otel_traces", f"segment = '{segment.hash}'"):
        database.insert("otel_traces", [{"TraceId": "held", "segment": segment.hash}])


def test_letters_set_aside_together_come_back_under_their_token(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same requests in the same order are the same token: tables that hold them keep them once, the others are filled."""
    monkeypatch.setattr(loader, "_FIRST_PAUSE_S", 0.01)
    stored = EmbeddedStore(database)
    store = Choosy(database, before=stored.insert)  # every table takes it, and yet the answer is a refusal
    collector, client = run(store=store, quiet_s=0.5)
    poisoned_among_others(collector, client)
    loaded(collector)
    store.is_mended = True
    letters = DeadLetters(database)
    assert len(letters.listed()) == 8

    again = letters.retry(collector.queue, digest=letters.listed()[3].digest)
    loaded(collector)

    assert again.queued == 8
    assert count(database, "otel_traces") == count(database, "ai_calls") == 16
    eventually(lambda: not letters.listed())
    stats = collector.stats()
    assert (stats.received_spans, stats.stored_spans, stats.dead_lettered_spans) == (32, 16, 16)


def test_retried_letter_is_stored_once_and_leaves(run: Run, database: Database) -> None:
    """After the mending, what was set aside is loaded; asked again, it is known to be stored."""
    store = Choosy(database)
    collector, client = run(store=store, quiet_s=0.5)
    poisoned_among_others(collector, client)
    loaded(collector)
    letters = DeadLetters(database)
    [row] = database.rows("SELECT * REPLACE (hex(body) AS body) FROM dead_letters FINAL")

    still_bad = letters.retry(collector.queue)
    loaded(collector)
    assert (still_bad.queued, len(letters.listed())) == (1, 1)
    store.is_mended = True
    letters.retry(collector.queue, reason="TABLE refuses")
    loaded(collector)
    eventually(lambda: not letters.listed())
    database.insert(
        "dead_letters", [{**row, "body": bytes.fromhex(row["body"])}]
    )  # as if the process had been killed before it was taken out
    again = letters.retry(collector.queue)

    assert (again.queued, again.already_stored) == (0, 1)
    assert not letters.listed()
    assert count(database, "otel_traces") == 16


def test_retry_of_a_letter_survives_a_restart(run: Run, database: Database) -> None:
    """The ledger says set aside of the segment on disk: retried since, it must be loaded and not removed."""
    first, client = run(store=Choosy(database), quiet_s=0.5)
    client.export(trace_request(2, number=5, word="poison"))
    loaded(first)
    first.stop()
    second, _ = run(store=Down(database))
    DeadLetters(database).retry(second.queue)
    second.stop(drain_s=0)

    third, _ = run()
    loaded(third)

    assert count(database, "otel_traces") == 2


def test_interrupted_split_is_the_one_or_the_two(run: Run, database: Database, tmp_path: Path) -> None:
    """Killed while a segment was made two: before the first half took its place it is whole, after that there are both."""
    first, client = run(store=Down(database), quiet_s=5, segment_max_age_s=60)
    for number in range(4):
        client.export(trace_request(2, number=number))
    first.stop(drain_s=0)
    [path] = (tmp_path / "spool" / "traces").glob("*.seg")
    known = trusted("traces", path)
    assert known is not None
    (path.parent / f"00000009.{known.hash}.part").write_bytes(b"half")

    second, _ = run()
    loaded(second)

    assert count(database, "otel_traces") == 8
    assert second.stats().damaged_requests == 0


def test_kept_file_is_replayed_once(run: Run, database: Database, tmp_path: Path) -> None:
    """A copy that somebody made of a segment: loaded before or not, its spans are there once in the end."""
    first, client = run(store=Down(database), quiet_s=5, segment_max_age_s=60)
    client.export(trace_request(2, number=1))
    first.stop(drain_s=0)
    [path] = (tmp_path / "spool" / "traces").glob("*.seg")
    kept = tmp_path / "kept.seg"
    kept.write_bytes(path.read_bytes())
    path.unlink()

    second, _ = run()
    answers = [second.queue(batches_of(kind_of(kept, "traces"), kept))]
    loaded(second)
    answers.append(second.queue(batches_of("traces", kept)))
    loaded(second)

    assert answers == [True, False]
    assert count(database, "otel_traces") == 2


def test_kind_of_a_kept_file_is_told_or_seen(tmp_path: Path) -> None:
    """The folder or the name says it; where neither does, the operator must."""
    assert kind_of(tmp_path / "logs" / "00000001.seg", None) == "logs"
    assert kind_of(tmp_path / "outcomes-00000001-17.bytes", None) == "outcomes"
    with pytest.raises(RequestRejected, match="--kind"):
        kind_of(tmp_path / "kept.seg", None)
    (tmp_path / "kept.seg").write_bytes(b"nothing of ours")
    with pytest.raises(RequestRejected, match="none that is whole"):
        batches_of("traces", tmp_path / "kept.seg")


def test_spool_is_listed_and_verified_without_being_touched(run: Run, database: Database, tmp_path: Path) -> None:
    """The operator sees what waits, and which of it is damaged, while it waits."""
    first, client = run(store=Down(database), quiet_s=5, segment_max_age_s=60)
    for number in range(3):
        client.export(trace_request(2, number=number, word=f"word-{number}"))
    [open_file] = spool_look.look(tmp_path / "spool", now_ns=2**62)
    first.stop(drain_s=0)
    [waiting] = spool_look.look(tmp_path / "spool", now_ns=2**62)
    [whole] = spool_look.verify(tmp_path / "spool")
    path = tmp_path / "spool" / waiting.file
    path.write_bytes(path.read_bytes().replace(b"word-1", b"word-x"))

    [damaged] = spool_look.verify(tmp_path / "spool")

    assert (open_file.state, waiting.state) == ("open", "waiting")
    assert (waiting.requests, waiting.items) == (open_file.requests, open_file.items) == (3, 6)
    assert whole.is_whole
    assert (damaged.requests, damaged.lost_requests, damaged.lost_items, damaged.is_whole) == (2, 1, 2, False)
    assert len(read(path)) == 2


def test_ledger_knows_how_far_a_segment_has_come(database: Database, tmp_path: Path) -> None:
    """A retry asks it before anything is stored."""
    ledger = Ledger(database, lambda: 1)

    assert ledger.state("nobody's", "traces") == ""
    assert tmp_path.is_dir()

"""Both clocks of what is loaded, when segments go in beside each other."""

from pathlib import Path

from tests.collector.conftest import Run
from tests.collector.sending import eventually

from tocsin_collector.load.watermark import WatermarkKeeper
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.database import Database

NOW_NS = 1_000


def segment(name: str, first_received_ns: int, last_end_ns: int) -> Segment:
    """Make one that only the clocks look at."""
    return Segment(
        kind="traces",
        path=Path(name),
        hash=name,
        requests=1,
        items=1,
        size_bytes=1,
        first_received_ns=first_received_ns,
        last_received_ns=first_received_ns,
        last_end_ns=last_end_ns,
    )


def test_the_datas_clock_waits_for_what_was_received_before() -> None:
    """A later segment is often loaded first; a slot closed by it would miss the earlier one's calls."""
    keeper = WatermarkKeeper(lambda: NOW_NS, lambda: None)
    earlier, later = segment("a", 10, 500), segment("b", 20, 900)
    keeper.sealed(earlier)
    keeper.sealed(later)

    keeper.loaded(later)

    assert keeper.read_ns() == (10, 0)
    keeper.loaded(earlier)
    assert keeper.read_ns() == (NOW_NS, 900)


def test_the_datas_clock_never_goes_back() -> None:
    """Data that comes out of order closes no slot twice."""
    keeper = WatermarkKeeper(lambda: NOW_NS, lambda: None)
    keeper.restore(700)

    keeper.loaded(segment("a", 10, 500))

    assert keeper.read_ns() == (NOW_NS, 700)


def test_an_embedded_collector_says_at_its_start_that_it_lives(run: Run, database: Database) -> None:
    """What an earlier process wrote last may be days old: by that alone it would be silent, and somebody would be paged."""
    run()

    eventually(lambda: database.rows("SELECT count() AS n FROM watermarks FINAL")[0]["n"] == 1)

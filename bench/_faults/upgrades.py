"""Another version of tocsin over the same spool and tables: newer, older, or cutting other blocks."""

import io
import random
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from _faults.contract import Fault, FaultResult, Scale
from _faults.node import Node, data_folder
from _faults.proof import prove, unbalanced
from _faults.sender import Requests, Sender

_ROOT: Final = Path(__file__).parents[2]
_OLD: Final = "8b1489c"  # the last commit whose tables are those of 0001 to 0015, and that loads one segment at a time
_PATIENCE_S: Final = 300.0
_THIS, _NEXT, _BEFORE = "1.4.0", "1.5.0", "1.3.0"  # as if: versions that are one apart
# What a next version may do: add columns to what segments are inserted into and to tables, tables, and views.
_LATER: Final = """
ALTER TABLE spans_in ${on_cluster} ADD COLUMN IF NOT EXISTS Later String;
ALTER TABLE otel_traces ${on_cluster} ADD COLUMN IF NOT EXISTS Later String;
ALTER TABLE ai_calls ${on_cluster} ADD COLUMN IF NOT EXISTS later String;
ALTER TABLE load_ledger ${on_cluster} ADD COLUMN IF NOT EXISTS later String;
CREATE TABLE IF NOT EXISTS later ${on_cluster} (SpanId String, Later String) ENGINE = ${Replicated}MergeTree ORDER BY SpanId;
CREATE MATERIALIZED VIEW IF NOT EXISTS later_mv ${on_cluster} TO later AS SELECT SpanId, Later FROM spans_in;
"""
_OTHER_BLOCKS: Final[Sequence[Mapping[str, int]]] = (
    {"max_block_size": 7, "max_insert_block_size": 7, "min_insert_block_size_rows": 0},
    {"max_block_size": 65_409, "max_threads": 2, "max_insert_threads": 2, "min_insert_block_size_rows": 10},
    {"max_insert_block_size": 13, "min_insert_block_size_rows": 13, "parallel_view_processing": 1},
)


def other_block_settings(scale: Scale, seed: int) -> FaultResult:
    """Insert segments, lose the answers, kill the collector, and start one that cuts the same segments into other blocks.

    It is killed between inserts: one that is cut short while it goes in by blocks smaller than a segment, as no version makes
    them, leaves sums of which nobody can say what they lack, and would wait for ever.
    """
    turns, count, batch = scale.pick(full=(20, 100, 50), short=(1, 8, 5))
    dice, requests = random.Random(seed), Requests(batch=batch, seed=seed)
    acked: set[int] = set()
    doubted = off = 0
    blocks: Mapping[str, int] = {}
    with data_folder() as folder, Node(folder=folder, settings={"segment_max_age_s": 0.2}) as node:
        for turn in range(turns):
            doubted += _left_behind(
                node, requests, acked, _from(turn * count, count), per_s=count / 0.6, least=2, whole=True
            )
            blocks = dice.choice([each for each in ({}, *_OTHER_BLOCKS) if each != blocks])
            node.build = {"block_settings": blocks}
            node.start()
            stats = node.settled()
            off += unbalanced(stats)
            print(f"  {turn + 1}/{turns}: {doubted} segments in doubt so far", flush=True)
        proof = prove(node.ask("held"), acked, batch=batch)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "turns": turns,
            "segments_in_doubt": doubted,
            "acked_spans": len(acked) * batch,
            "stored_rows": proof.rows,
            "ledger_off": proof.ledger_off + off,
        },
        goals={"ledger_off": "== 0", "segments_in_doubt": ">= 1"},
    )


def version_up_down(scale: Scale, seed: int) -> FaultResult:
    """Go from a version to the next and back, each time killed with a full spool; older ones refuse with a sentence.

    In a checkout with its history, all of it begins with the spool and tables of a commit before this release.
    """
    turns, count, batch = scale.pick(full=(5, 400, 50), short=(1, 6, 5))
    requests = Requests(batch=batch, seed=seed)
    acked: set[int] = set()
    serials = iter(range(0, 1 << 30, count))
    off = unrefused = doubted = 0
    this, later = {"version": _THIS}, {"version": _NEXT, "later": _LATER}
    with data_folder() as folder, _archived() as old, ExitStack() as stack:
        node = Node(folder=folder)
        stack.push(node)  # ended, however this ends

        def run_as(build: Mapping[str, Any]) -> None:
            """Load what another version left behind, and leave as much for the next."""
            nonlocal doubted, off
            node.build, node.sources = build, ()
            node.start()
            off += unbalanced(node.settled())
            doubted += _left_behind(node, requests, acked, _from(next(serials), count))

        if old:
            node.sources = old
            node.start()
            doubted += _left_behind(node, requests, acked, _from(next(serials), count))
        for turn in range(turns):
            if not old or scale is Scale.full:
                run_as(this)
            run_as(later)
            print(f"  {turn + 1}/{turns}: up and down again, {len(acked):,} acked", flush=True)
        before = _files(folder / "spool")
        if old:
            unrefused += not _refuses(Node(folder=folder, sources=old), f"applied by tocsin {_NEXT}")
        if not old or scale is Scale.full:
            unrefused += not _refuses(Node(folder=folder, build={"version": _BEFORE}), f"applied by tocsin {_NEXT}")
        unrefused += _files(folder / "spool") != before
        node.build = this
        node.start()
        stats = node.settled()
        proof = prove(node.ask("held"), acked, batch=batch)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "turns": turns,
            "began_with_an_older_commit": int(bool(old)),
            "segments_in_doubt": doubted,
            "not_refused": unrefused,
            "acked_spans": len(acked) * batch,
            "stored_rows": proof.rows,
            "ledger_off": proof.ledger_off + off + unbalanced(stats),
        },
        goals={"ledger_off": "== 0", "not_refused": "== 0", "segments_in_doubt": ">= 1"},
    )


def _from(first: int, count: int) -> range:
    return range(first, first + count)


def _left_behind(
    node: Node,
    requests: Requests,
    acked: set[int],
    serials: range,
    *,
    per_s: float = 0.0,
    least: int = 1,
    whole: bool = False,
) -> int:
    """Send, let the store take what it can and lose its answers, and kill; say of how many segments they were lost."""
    node.ask("answers", come=False)
    with Sender(requests, node.port, first=serials.start, count=serials.stop, per_s=per_s) as sender:
        sender.join()
    acked |= sender.acked
    deadline = time.monotonic() + _PATIENCE_S
    while (found := node.ask("answers", come=False)["unanswered"]) < least and time.monotonic() < deadline:
        time.sleep(0.02)
    while whole and node.ask("loader", runs=False)["under_way"]:
        time.sleep(0.1)
    node.kill()
    return int(found)


def _refuses(node: Node, sentence: str) -> bool:
    try:
        node.start()
    except ChildProcessError as error:
        return "SchemaError" in str(error) and sentence in str(error)
    node.kill()
    return False


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


@contextmanager
def _archived() -> Iterator[Sequence[Path]]:
    """Unpack the old commit's packages; none without a history."""
    git = shutil.which("git") if (_ROOT / ".git").exists() else None
    packages = ("collector_service", "proto", "bench")  # the harness too: it knows the modules of its own day
    made = git and subprocess.run([git, "-C", str(_ROOT), "archive", _OLD, *packages], capture_output=True, check=False)
    if not made or made.returncode:
        print("  the part of an older commit is skipped: it needs git and a checkout with its history", flush=True)
        yield ()
        return
    with tempfile.TemporaryDirectory(prefix="tocsin-older-") as name:
        with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
            archive.extractall(name, filter="data")
        yield [Path(name) / package for package in packages]


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {"other_block_settings": other_block_settings, "version_up_down": version_up_down}
)

"""Losing ClickHouse: a node, a shard, everything; and what is left of spans that were acknowledged meanwhile.

    CLICKHOUSE_BINARY=... python bench/restore.py --json bench/results/restore.json     # about ten minutes

Two shards of two replicas and a Keeper on loopback, a collector in a process of its own, and a sender that goes on. The commands are
those of docs/operations/. Every span is looked for by its serial number: what was loaded before a backup began must be there once,
and so must what came after a loss; what was loaded between the two was in no other place, and is counted.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # tests/docs reads the pages

from tests.docs.fences import fences

from _clickhouse import CLUSTER, ClickHouse
from _faults.node import Node, data_folder
from _faults.proof import prove
from _faults.sender import Requests, Sender
from _report import Figure, arguments, keep, show

BATCH: Final = 50
PER_S: Final = 40.0  # requests


class Rehearsal:
    """A cluster, a collector over it, and what was acknowledged so far."""

    def __init__(self, servers: ClickHouse, node: Node, folder: Path) -> None:
        self.servers = servers
        self.node = node
        self.folder = folder
        self.requests = Requests(batch=BATCH, seed=1)
        self._next = 0
        self.acked: set[int] = set()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send for as long as the block lasts, and keep what was acknowledged."""
        first = self.next_serial()
        with Sender(self.requests, self.node.port, first=first, count=first + 1_000_000, per_s=PER_S) as sender:
            yield
        self.acked |= sender.acked

    def next_serial(self) -> int:
        """Give a serial number from which on none was sent."""
        self._next += 1_000_000
        return self._next

    def settled(self) -> None:
        """Wait until nothing waits in the spool."""
        self.node.settled(patience_s=300.0)

    def tocsin(self, *words: str, urls: str = "", code: int = 0) -> tuple[Any, float]:
        """Run a command, and say what it answered and how long it took."""
        url, name = (urls, "") if urls else (",".join(self.servers.urls), CLUSTER)
        config = self.folder / "tocsin.yaml"
        cluster = f", cluster: {name}" if name else ""
        config.write_text(f"store: {{url: [{url}]{cluster}}}\n", encoding="utf-8")
        command = [sys.executable, "-m", "tocsin_console", *words, "--config", str(config), "--json"]
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        if done.returncode != code:
            raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout), time.monotonic() - began

    def forget_lost(self) -> None:
        """Look no more for what is known to be lost, and was counted."""
        found = self.node.ask("held")
        whole = {serial for serial, spans in zip(found["serials"], found["different"], strict=True) if spans == BATCH}
        self.acked &= whole

    def proof(self, wanted: Collection[int]) -> dict[str, float]:
        """Look for every span of requests, and for any that is there twice or not in every table."""
        found = self.node.ask("held")
        spans = dict(zip(found["serials"], found["different"], strict=True))
        proof = prove(
            {**found, **dict.fromkeys(("calls", "different_calls", "summed", "binned"), sum(spans.values()))},
            wanted,
            batch=BATCH,
        )
        apart = max(abs(sum(spans.values()) - found[name]) for name in ("calls", "different_calls", "summed", "binned"))
        return {
            "missing": proof.missing,
            "twice": proof.duplicates,
            "apart": apart,  # in some tables and not in others
            "lost": sum(BATCH - spans.get(serial, 0) for serial in self.acked) - proof.missing,
        }


def page_command(start: str) -> list[str]:
    """Find a command of docs/operations/ that is marked as run here."""
    for page in ("cluster.md", "backup.md"):
        for block in fences(f"operations/{page}", "bash", tested_by=__file__):
            for line in block.splitlines():
                if line.startswith(f"tocsin {start}") and ("--shard" in line) == ("--shard" in start):
                    return shlex.split(line)[1:]
    raise ValueError(f"expected a command `tocsin {start} …` marked as tested by bench/restore.py in docs/operations/")


def lose_a_node(run: Rehearsal) -> list[Figure]:
    """Kill a node and empty its disk in the middle of loading; an empty one takes its place."""
    with run.sending():
        time.sleep(8)
        run.servers.lose("s1r2")
        time.sleep(8)
        began = time.monotonic()
        run.servers.start("s1r2")
        repaired, repair_s = run.tocsin(*page_command("cluster repair"))
        while any(each["state"] != "ok" for each in run.tocsin("cluster", "status")[0]["nodes"]):
            time.sleep(0.5)
        caught_up_s = time.monotonic() - began
        time.sleep(5)
    run.settled()
    settled_s = time.monotonic() - began
    sql = "SELECT count(), uniqExact(SpanId) FROM tocsin_shard.otel_traces"
    while (rows := run.servers.ask("s1r2", sql)) != run.servers.ask("s1r1", sql):
        time.sleep(0.2)
    proof = run.proof(run.acked)
    return [
        *_counted("node", proof, len(run.acked)),
        Figure(name="node_tables_made", value=repaired["tables"], unit=""),
        Figure(name="node_rows_from_its_sister", value=float(rows.split()[0]), unit="rows"),
        Figure(name="node_repair_s", value=repair_s, unit="s"),
        Figure(name="node_caught_up_s", value=caught_up_s, unit="s"),
        Figure(name="node_spool_empty_s", value=settled_s, unit="s"),
    ]


def lose_a_shard(run: Rehearsal) -> list[Figure]:
    """Back up twice while spans arrive, lose both replicas of a shard, restore it; the collector runs all the while."""
    whole, added = run.tocsin("backup", "--to", "disk:backups/monday")[0], None
    with run.sending():
        time.sleep(5)
    run.settled()
    before = set(run.acked)
    with run.sending():
        time.sleep(3)
        added = run.tocsin("backup", "--to", "disk:backups/tuesday", "--base", "disk:backups/monday")[0]
        time.sleep(5)
        for name in ("s2r1", "s2r2"):
            run.servers.lose(name)
        time.sleep(3)
        try:
            run.servers.ask("s1r1", "SELECT count() FROM tocsin.otel_traces")
            refused = 0
        except OSError:
            refused = 1
        for name in ("s2r1", "s2r2"):
            run.servers.start(name)
        began = time.monotonic()
        restored, restore_s = run.tocsin(*page_command("restore --from disk:backups/tuesday --shard"))
        time.sleep(5)
    run.settled()
    settled_s = time.monotonic() - began
    lost = run.proof(before)
    requests = len(run.acked)
    run.forget_lost()
    return [
        *_counted("shard", lost, requests),
        Figure(name="shard_loaded_after_the_backup_and_lost", value=lost["lost"], unit="spans"),
        Figure(name="shard_tables_with_fewer_rows", value=len(restored["fewer"]), unit="", goal="== 0"),
        Figure(name="shard_read_refused_while_away", value=refused, unit="", goal="== 1"),
        Figure(name="shard_restore_s", value=restore_s, unit="s"),
        Figure(name="shard_spool_empty_s", value=settled_s, unit="s"),
        Figure(name="backup_whole_mb", value=whole["size_bytes"] / 1e6, unit="MB"),
        Figure(name="backup_whole_s", value=whole["seconds"], unit="s"),
        Figure(name="backup_added_s", value=added["seconds"], unit="s"),
    ]


def lose_everything(run: Rehearsal) -> list[Figure]:
    """Lose every node and Keeper with all that was stored; restore into an empty cluster, and into one server."""
    with run.sending():
        time.sleep(10)
    run.settled()
    before = set(run.acked)
    held = run.node.ask("held")
    run.tocsin("backup", "--to", "disk:backups/wednesday")
    names = ["keeper", *(node.name for node in run.servers.nodes)]
    for name in names:
        run.servers.lose(name)
    with run.sending():  # into the spool
        time.sleep(5)
    run.node.kill()
    for name in names:
        run.servers.start(name)
    command = [word.replace("tuesday", "wednesday") for word in page_command("restore --from disk:backups/tuesday")]
    restored, restore_s = run.tocsin(*command)
    run.node.start()
    run.settled()
    proof = run.proof(before)
    figures = [
        *_counted("everything", proof, len(run.acked)),
        Figure(name="everything_spool_lost", value=proof["lost"], unit="spans", goal="== 0"),
        Figure(name="everything_tables_with_fewer_rows", value=len(restored["fewer"]), unit="", goal="== 0"),
        Figure(
            name="everything_tables_the_same",
            value=sum(each["verdict"] == "same" for each in restored["tables"]),
            unit="",
        ),
        Figure(name="everything_restore_s", value=restore_s, unit="s"),
    ]
    with ClickHouse.of(
        run.servers.binary, run.servers.folder / "alone", backups=run.servers.folder / "backups"
    ) as alone:
        url = alone.urls[0]
        single, single_s = run.tocsin(*command, urls=url)
        spans = int(alone.ask("s1r1", "SELECT uniqExact(SpanId) FROM tocsin.otel_traces"))
        calls = int(alone.ask("s1r1", "SELECT sum(calls) FROM tocsin.ai_calls_1h WHERE segment_name = ''"))
    wanted = sum(held["different"])
    return [
        *figures,
        Figure(name="one_server_missing", value=wanted - spans + abs(wanted - calls), unit="spans", goal="== 0"),
        Figure(name="one_server_tables_with_fewer_rows", value=len(single["fewer"]), unit="", goal="== 0"),
        Figure(name="one_server_restore_s", value=single_s, unit="s"),
    ]


def back_up_without_a_node(run: Rehearsal) -> list[Figure]:
    """Try to back up while a node is away."""
    run.servers.kill("s1r1")
    refused, seconds = run.tocsin("backup", "--to", "disk:backups/thursday", code=2)
    run.servers.start("s1r1")
    print(f"  {refused['error']}", flush=True)
    run.tocsin("backup", "--to", "disk:backups/friday")
    return [Figure(name="backup_without_a_node_refused_s", value=seconds, unit="s")]


PARTS: Final = (lose_a_node, lose_a_shard, lose_everything, back_up_without_a_node)


def _counted(name: str, proof: dict[str, float], requests: int) -> list[Figure]:
    return [
        Figure(name=f"{name}_acked_spans", value=requests * BATCH, unit="spans"),
        Figure(name=f"{name}_missing", value=proof["missing"], unit="spans", goal="== 0"),
        Figure(name=f"{name}_twice", value=proof["twice"], unit="spans", goal="== 0"),
        Figure(name=f"{name}_in_some_tables_only", value=proof["apart"], unit="spans", goal="== 0"),
    ]


def _names() -> list[str]:
    return [part.__name__ for part in PARTS]


def main() -> int:
    """Rehearse, print, write."""
    parser = arguments("Lose a node, a shard and everything, and count what is left.")
    parser.add_argument(
        "--part", action="append", choices=_names(), help="only this; the others' figures stay as they were"
    )
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-restore-") as name,
        ClickHouse.of(Path(os.environ["CLICKHOUSE_BINARY"]), Path(name) / "servers", shards=2, replicas=2) as servers,
        data_folder() as folder,
        Node(folder=folder, url=f"{','.join(servers.urls)}#{CLUSTER}") as node,
    ):
        run = Rehearsal(servers, node, Path(name))
        figures = []
        for part in [part for part in PARTS if part.__name__ in (options.part or _names())]:
            print(f"{part.__name__}: {part.__doc__}", flush=True)
            found = part(run)
            figures += found
            show(part.__name__, found)
            if options.json:
                keep(options.json, found)
            print(f"  {len(run.acked) * BATCH:,} spans acked so far", flush=True)
    return int(any(figure.met is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())

"""Versions changed one process at a time while spans arrive: collectors over a cluster, then its servers."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from _clickhouse import ClickHouse
from _faults.node import Node
from _faults.sender import Requests, Sender
from _report import Figure

_THIS: Final = {"version": "1.4.0"}  # as if: versions that are one apart
# What a next version may do: add columns to what segments are inserted into and to tables, tables, and views.
_NEXT: Final = {
    "version": "1.5.0",
    "later": """
ALTER TABLE spans_in ${on_cluster} ADD COLUMN IF NOT EXISTS Later String;
ALTER TABLE otel_traces ${on_cluster} ADD COLUMN IF NOT EXISTS Later String;
ALTER TABLE ai_calls ${on_cluster} ADD COLUMN IF NOT EXISTS later String;
CREATE TABLE IF NOT EXISTS later ${on_cluster} (SpanId String, Later String) ENGINE = ${Replicated}MergeTree ORDER BY SpanId;
CREATE MATERIALIZED VIEW IF NOT EXISTS later_mv ${on_cluster} TO later AS SELECT SpanId, Later FROM spans_in;
""",
}
_OTHERS: Final = 100_000_000  # serial numbers of the second collector's senders
_PER_S: Final = 20.0


def roll(
    node: Node, servers: ClickHouse, folder: Path, requests: Requests, first: int
) -> tuple[set[int], list[Figure]]:
    """Take two collectors to the next version and back, and start every server anew, each alone; say what was acknowledged.

    Args:
        node: A collector that runs.
        servers: Its cluster.
        folder: For the second collector's data.
        requests: What is sent.
        first: From which serial number on.
    """
    folder.mkdir()
    other = Node(folder=folder, url=node.url)
    starts: list[float] = []

    def start_as(each: Node, build: Mapping[str, Any]) -> None:
        if each.process is not None:
            each.end()
        began = time.monotonic()
        each.build = build
        each.start()
        starts.append(time.monotonic() - began)
        time.sleep(3)

    start_as(node, _THIS)
    start_as(other, _THIS)
    with (
        ExitStack() as stack,
        Sender(requests, node.port, first=first, count=first + 1_000_000, per_s=_PER_S, streams=2) as one,
        Sender(requests, other.port, first=_OTHERS, count=_OTHERS + 1_000_000, per_s=_PER_S, streams=2) as two,
    ):
        stack.push(other)  # ended, however this ends
        for build in (_NEXT, _THIS, _NEXT):  # up, back, and up again
            for each in (node, other):
                start_as(each, build)
        for server in servers.nodes:
            servers.kill(server.name)
            time.sleep(2)
            servers.start(server.name)
            time.sleep(5)
        for sender in (one, two):
            sender.__exit__()
        for each in (node, other):
            each.settled(patience_s=300.0)
    return one.acked | two.acked, [
        Figure(name="rolled_collectors", value=6, unit="starts"),
        Figure(name="rolled_servers", value=len(servers.nodes), unit="starts"),
        Figure(name="rolled_slowest_start_s", value=max(starts), unit="s"),
    ]

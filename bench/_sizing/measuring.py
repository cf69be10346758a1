"""What a span costs on a real 2 x 2 cluster: CPU by process, bytes on disk by table, bytes over the network, Keeper's work."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from _clickhouse import CLUSTER, ClickHouse
from _faults.node import Node, data_folder
from _load import prepared
from _report import Figure
from _watch import Peak, cpu

_BATCH = 512
_WARM = 40  # requests before the meters are read
_EVENTS = (
    "NetworkReceiveBytes", "MergedUncompressedBytes", "ZooKeeperTransactions", "ZooKeeperBytesSent", "ZooKeeperBytesReceived",
)  # fmt: skip
_BY_TABLE = (
    "SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database LIKE 'tocsin%' AND rows > 0"
    " GROUP BY table FORMAT TSV"
)
_UNCOMPRESSED = "SELECT sum(data_uncompressed_bytes) FROM system.parts WHERE active AND database LIKE 'tocsin%'"
_QUIET_S = 5.0


def measure(spans: int, ai_share: float, per_s: float, suffix: str) -> list[Figure]:
    """Send so many spans through a collector into the cluster, wait until merges rest, and read the meters.

    Args:
        spans: About how many.
        ai_share: How many of them are AI calls.
        per_s: Spans a second; 0 is as fast as possible, in few large segments.
        suffix: Of the figures' names.
    """
    requests = prepared(_BATCH, 1, ai_share=ai_share)
    count = spans // _BATCH
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-sizing-") as name,
        ClickHouse.of(Path(os.environ["CLICKHOUSE_BINARY"]), Path(name) / "servers", shards=2, replicas=2) as servers,
        data_folder() as folder,
        Node(folder=folder, url=f"{','.join(servers.urls)}#{CLUSTER}") as node,
    ):
        _send(node.port, requests, _WARM)  # tables, codecs and connections warm up
        node.settled()
        _rest(servers)
        names = [each.name for each in servers.nodes]
        pids = [servers.pid(each) for each in names]
        peak, peaks = Peak(node.pid), [Peak(pid) for pid in pids]
        before = {each: _events(servers, each) for each in names}
        used = node.cpu_s(), cpu(pids), cpu([servers.pid("keeper")])
        sent_bytes, segments = sum(map(len, requests)) / len(requests), _loaded(node)
        _send(node.port, requests, count, first=_WARM, per_s=per_s / _BATCH)
        node.settled(patience_s=600.0)
        _rest(servers)
        collector_s = node.cpu_s() - used[0]
        server, keeper = cpu(pids).since(used[1]), cpu([servers.pid("keeper")]).since(used[2])
        after = {each: _events(servers, each) for each in names}
        disk, segments = _disk(servers), _loaded(node) - segments
        kept = sum(int(servers.ask(each, _UNCOMPRESSED)) for each in names)
        rss, server_rss = peak.stop(), max(each.stop() for each in peaks)
    millions = count * _BATCH / 1e6
    events = {key: sum(after[each][key] - before[each][key] for each in names) for key in _EVENTS}
    figures = [
        Figure(name="spans", value=count * _BATCH, unit="spans"),
        Figure(name="wire_bytes_per_span", value=sent_bytes / _BATCH, unit="bytes"),
        Figure(name="collector_cpu_s_per_million", value=collector_s / millions, unit="CPU s"),
        Figure(name="collector_peak_mb", value=rss, unit="MB"),
        Figure(name="clickhouse_cpu_s_per_million", value=(server.total_s - server.merging_s) / millions, unit="CPU s"),
        Figure(name="clickhouse_merging_cpu_s_per_million", value=server.merging_s / millions, unit="CPU s"),
        Figure(name="clickhouse_peak_mb", value=server_rss, unit="MB"),
        Figure(name="keeper_cpu_s_per_million", value=keeper.total_s / millions, unit="CPU s"),
        Figure(name="segments", value=segments, unit="inserts"),
        Figure(name="keeper_transactions_per_segment", value=events["ZooKeeperTransactions"] / segments, unit=""),
        Figure(
            name="keeper_bytes_per_segment",
            value=(events["ZooKeeperBytesSent"] + events["ZooKeeperBytesReceived"]) / segments,
            unit="bytes",
        ),
        Figure(
            name="clickhouse_received_bytes_per_span",
            value=events["NetworkReceiveBytes"] / millions / 1e6,
            unit="bytes",
        ),
        Figure(name="merges_of_a_byte", value=events["MergedUncompressedBytes"] / kept, unit="x"),
    ]
    stored = (count + _WARM) * _BATCH
    figures += [
        Figure(name=f"disk_bytes_per_span_{table}", value=size / 2 / stored, unit="bytes")  # of one of two replicas
        for table, size in sorted(disk.items())
        if size / stored > 0.05
    ]
    return [Figure(name=f"{each.name}{suffix}", value=each.value, unit=each.unit) for each in figures]


def _send(port: int, requests: Sequence[bytes], count: int, *, first: int = 0, per_s: float = 0.0) -> None:
    """Send requests, each until it is acknowledged, over four connections; a slow store has the sender wait."""
    from _faults.sender import Sender

    class _Numbered:
        def __init__(self) -> None:
            from _load import Template

            self._templates = [Template(request) for request in requests]

        def numbered(self, serial: int) -> bytes:
            return self._templates[serial % len(self._templates)].numbered(serial)

    with Sender(_Numbered(), port, first=first, count=first + count, streams=4, per_s=per_s) as sender:  # type: ignore[arg-type]
        sender.join()


def _events(servers: ClickHouse, name: str) -> dict[str, int]:
    listed = ", ".join(f"'{each}'" for each in _EVENTS)
    rows = servers.ask(name, f"SELECT event, value FROM system.events WHERE event IN ({listed}) FORMAT TSV")
    found = dict(line.split("\t") for line in rows.splitlines())
    return {each: int(found.get(each, 0)) for each in _EVENTS}


def _disk(servers: ClickHouse) -> dict[str, int]:
    """Add up the sharded tables of both shards and replicas, by table."""
    found: dict[str, int] = {}
    for node in servers.nodes:
        for line in servers.ask(node.name, _BY_TABLE).splitlines():
            table, size = line.split("\t")
            found[table] = found.get(table, 0) + int(size)
    return found


def _loaded(node: Node) -> int:
    return int(node.ask("stats")["segments_loaded"])


def _rest(servers: ClickHouse) -> None:
    """Wait until no node merges or fetches any more."""
    sql = "SELECT (SELECT count() FROM system.merges) + (SELECT count() FROM system.replicated_fetches)"
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < _QUIET_S:
        if any(servers.ask(node.name, sql) != "0" for node in servers.nodes):
            quiet_since = time.monotonic()
        time.sleep(0.2)

"""A ClickHouse server that is killed, slow, read-only or out of memory, replicas that come and go, and tables under change.

They need a real server: CLICKHOUSE_BINARY names its binary. Without it each says that it was skipped.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from _clickhouse import CLUSTER, ClickHouse
from _faults.contract import Fault, FaultResult, Scale
from _faults.node import Node, data_folder
from _faults.proof import prove, unbalanced
from _faults.sender import Requests, Sender, send_once

Break = Callable[[ClickHouse, random.Random], None]
_DAY_NS = 86_400_000_000_000
_INSERT_S = 1.5  # about what one of 150 days takes
_SKIPPED = FaultResult(missing=0, duplicates=0, crashes=0, counters={"skipped": 1})


def _under_load(
    scale: Scale, seed: int, hurt: Break, *, shards: int = 1, replicas: int = 1, hurts_for_s: float = 0.0
) -> FaultResult:
    """Send to a collector over a server, hurt the server again and again, and count.

    `hurts_for_s` is about how long one time takes, where that is longer than sending a twentieth at full speed: then the
    sender takes its time, so that there is load each time.
    """
    binary = os.environ.get("CLICKHOUSE_BINARY")
    if not binary:
        print("  skipped: needs a real ClickHouse server, so set CLICKHOUSE_BINARY to its binary", flush=True)
        return _SKIPPED
    times, count, batch, per_s = scale.pick(full=(20, 6_000, 100, 0.0), short=(1, 200, 5, 100.0))
    if hurts_for_s and scale is Scale.full:
        per_s = count / (times * hurts_for_s)
    dice = random.Random(seed)
    with (
        _servers(Path(binary), shards=shards, replicas=replicas) as servers,
        data_folder() as folder,
        Node(folder=folder, url=_url(servers)) as node,
        Sender(Requests(batch=batch, seed=seed), node.port, count=count, per_s=per_s) as sender,
    ):
        loaded = 0
        for turn in range(times):
            sender.reaches((turn + 1) * count // (times + 2))
            loaded += not sender.is_done
            hurt(servers, dice)
            print(f"  {turn + 1}/{times}: {len(sender.acked):,} acked", flush=True)
        sender.join()
        stats = node.settled(patience_s=300.0)
        proof = prove(node.ask("held"), sender.acked, batch=batch)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "times": times,
            "times_under_load": loaded,
            "acked_spans": len(sender.acked) * batch,
            "stored_rows": proof.rows,
            "load_errors": stats["load_errors"],
            "ledger_off": proof.ledger_off + unbalanced(stats),
        },
        goals={"ledger_off": "== 0"} | scale.pick(full={"times_under_load": f">= {times}"}, short={}),
    )


@contextmanager
def _servers(binary: Path, *, shards: int, replicas: int) -> Iterator[ClickHouse]:
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-servers-") as name,
        ClickHouse.of(binary, Path(name) / "servers", shards=shards, replicas=replicas) as servers,
    ):
        yield servers


def _url(servers: ClickHouse) -> str:
    return ",".join(servers.urls) + (f"#{CLUSTER}" if servers.keeper else "")


def clickhouse_killed(scale: Scale, seed: int) -> FaultResult:
    """Kill the server whatever it does, leave it dead for a while, start it."""

    def hurt(servers: ClickHouse, dice: random.Random) -> None:
        time.sleep(dice.random() * 0.5)
        servers.kill("s1r1")
        time.sleep(dice.random() * 2)
        servers.start("s1r1")

    return _under_load(scale, seed, hurt)


def clickhouse_restarted_mid_insert(scale: Scale, seed: int) -> FaultResult:
    """Kill the server while it inserts."""

    def hurt(servers: ClickHouse, dice: random.Random) -> None:
        deadline = time.monotonic() + 3.0
        running = "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO%'"
        while servers.ask("s1r1", running) == "0" and time.monotonic() < deadline:
            pass
        time.sleep(dice.random() * 0.02)
        servers.kill("s1r1")
        servers.start("s1r1")

    return _under_load(scale, seed, hurt)


def clickhouse_slow(scale: Scale, seed: int) -> FaultResult:
    """Make every insert take 5 s."""

    def hurt(servers: ClickHouse, _dice: random.Random) -> None:
        for name in ("slow_1", "slow_2"):  # one block may sleep for 3 s
            made = (
                f"CREATE MATERIALIZED VIEW tocsin.{name} ENGINE = Null AS SELECT sleep(2.5) AS s FROM tocsin.spans_in"
            )
            servers.ask("s1r1", made)
        time.sleep(6.0)
        for name in ("slow_1", "slow_2"):
            servers.ask("s1r1", f"DROP VIEW tocsin.{name} SYNC")

    return _under_load(scale, seed, hurt, hurts_for_s=12.0)


def _with_profile(settings: str) -> Break:
    """Make a fault of a user's settings: the server reads them again by itself, every two seconds."""

    def hurt(servers: ClickHouse, _dice: random.Random) -> None:
        config = servers.folder / "s1r1" / "config.xml"
        before = config.read_text(encoding="utf-8")
        config.write_text(before.replace("<profiles><default/>", f"<profiles><default>{settings}</default>"))
        time.sleep(5.0)
        config.write_text(before)
        time.sleep(3.0)

    return hurt


def clickhouse_readonly(scale: Scale, seed: int) -> FaultResult:
    """Let the collector's user write nothing for a while."""
    return _under_load(scale, seed, _with_profile("<readonly>2</readonly>"), hurts_for_s=9.0)


def clickhouse_oom(scale: Scale, seed: int) -> FaultResult:
    """Give every statement too little memory for a while."""
    return _under_load(scale, seed, _with_profile("<max_memory_usage>100000</max_memory_usage>"), hurts_for_s=9.0)


def replica_rejoined(scale: Scale, seed: int) -> FaultResult:
    """On two shards of two replicas and a Keeper: kill one of the four, go on, start it again."""

    def hurt(servers: ClickHouse, dice: random.Random) -> None:
        victim = dice.choice(servers.nodes).name
        servers.kill(victim)
        time.sleep(dice.random() * 3)
        servers.start(victim)

    return _under_load(scale, seed, hurt, shards=2, replicas=2)


def many_partitions(scale: Scale, seed: int) -> FaultResult:
    """Kill the collector while it inserts segments of 150 days, so of 150 partitions a table, and start it again."""

    def hurt(node: Node) -> None:
        node.kill()
        node.build = {"waits": True}
        node.start()

    with data_folder() as folder, Node(folder=folder) as node:
        return _interrupted(node, scale.pick(full=40, short=1), seed, hurt)


def many_partitions_on_a_server(scale: Scale, seed: int) -> FaultResult:
    """Kill the server while it takes in segments of 150 days, and start it again; the collector lives on."""
    binary = os.environ.get("CLICKHOUSE_BINARY")
    if not binary:
        print("  skipped: needs a real ClickHouse server, so set CLICKHOUSE_BINARY to its binary", flush=True)
        return _SKIPPED
    with (
        _servers(Path(binary), shards=1, replicas=1) as servers,
        data_folder() as folder,
        Node(folder=folder, url=_url(servers)) as node,
    ):

        def hurt(node: Node) -> None:
            node.ask("loader", runs=False)  # what is under way goes on; what is tried again waits
            servers.kill("s1r1")
            servers.start("s1r1")

        return _interrupted(node, scale.pick(full=40, short=1), seed, hurt)


def _interrupted(node: Node, turns: int, seed: int, hurt: Callable[[Node], None]) -> FaultResult:
    """Hurt what stores a segment of 150 days, at a random moment; the loader must wait afterwards."""
    days, dice = 150, random.Random(seed)

    def spread(request: Any) -> None:
        for day, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
            span.start_time_unix_nano -= day * _DAY_NS
            span.end_time_unix_nano -= day * _DAY_NS

    requests = Requests(batch=days, seed=seed, change=spread)
    torn = off = 0
    for turn in range(turns):
        send_once(node.port, [requests.numbered(turn)])
        time.sleep(dice.uniform(0.5, 1.0) * _INSERT_S)
        hurt(node)
        torn += _is_torn(node)
        node.ask("loader", runs=True)
        off += unbalanced(node.settled(patience_s=300.0))
        print(f"  {turn + 1}/{turns}: {torn} interrupted in the middle", flush=True)
    proof = prove(node.ask("held"), range(turns), batch=days)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "kills": turns,
            "interrupted_in_the_middle": torn,
            "stored_rows": proof.rows,
            "ledger_off": proof.ledger_off + off,
        },
        goals={"ledger_off": "== 0"},
    )


def _is_torn(node: Node) -> int:
    """Say whether a segment is in some of its tables or partitions, and not in all."""
    sql = (
        "SELECT (SELECT uniqExact(SpanId) FROM otel_traces) AS a, (SELECT uniqExact(span_id) FROM ai_calls) AS b,"
        " (SELECT toUInt64(sum(calls)) FROM ai_calls_1h) AS c, (SELECT toUInt64(sum(n)) FROM input_histogram_1h WHERE kind = 'output') AS d"
    )
    return int(len(set(node.ask("rows", sql=sql)["rows"][0].values())) > 1)


def migration_killed(scale: Scale, seed: int) -> FaultResult:
    """End a migration before each of its statements, and start it anew: the tables must be those of one that went through."""
    from tocsin_collector.store.database import Database, StoreAddress
    from tocsin_collector.store.migrate import migrate

    dice = random.Random(seed)

    class _EndedError(Exception):
        pass

    class Ending(Database):
        left = -1

        def command(self, sql: str, **how: Any) -> None:
            if self.left == 0:
                raise _EndedError
            self.left -= 1
            super().command(sql, **how)

    now, tried, different = datetime.now(UTC), 0, 0
    with data_folder() as folder:

        def tables(name: str, after: int) -> tuple[list[Any], int]:
            database = Ending.open(StoreAddress(path=folder / "store", database=name))
            database.left = after
            try:
                migrate(database, now=now)
            except _EndedError:
                database.left = -1
                migrate(database, now=now)
            done = -1 - database.left
            sql = "SELECT name, replaceAll(create_table_query, currentDatabase(), '') AS made FROM system.tables"
            found = database.rows(f"{sql} WHERE database = currentDatabase() ORDER BY name")
            database.command(f"DROP DATABASE `{name}`")
            database.close()
            return found, done

        whole, statements = tables("migrated_0", -1)
        every = scale.pick(full=range(statements), short=sorted(dice.sample(range(statements), 1)))
        for after in every:
            found, _ = tables(f"migrated_{after + 1}", after)
            different += found != whole
            tried += 1
    return FaultResult(missing=different, duplicates=0, crashes=0, counters={"ended": tried, "statements": statements})


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "clickhouse_killed": clickhouse_killed,
        "clickhouse_restarted_mid_insert": clickhouse_restarted_mid_insert,
        "clickhouse_slow": clickhouse_slow,
        "clickhouse_readonly": clickhouse_readonly,
        "clickhouse_oom": clickhouse_oom,
        "replica_rejoined": replica_rejoined,
        "many_partitions": many_partitions,
        "many_partitions_on_a_server": many_partitions_on_a_server,
        "migration_killed": migration_killed,
    }
)

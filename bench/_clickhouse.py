"""Real ClickHouse servers on loopback, from the binary that CLICKHOUSE_BINARY names: one, or a cluster with its Keeper.

For tests and faults: every node has a folder and free ports of its own, and can be killed and started again. All share the
disk `backups`, as nodes share a bucket.
"""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

CLUSTER = "main"
_PATIENCE_S = 90.0

_COMMON = """<logger><level>warning</level><log>{home}/log</log><errorlog>{home}/err</errorlog></logger>
<listen_host>127.0.0.1</listen_host>"""
_SERVER = """<clickhouse>{common}
<http_port>{http}</http_port><tcp_port>{tcp}</tcp_port>
<interserver_http_host>127.0.0.1</interserver_http_host><interserver_http_port>{interserver}</interserver_http_port>
<path>{home}/data/</path><tmp_path>{home}/tmp/</tmp_path><user_files_path>{home}/user_files/</user_files_path>
<format_schema_path>{home}/schemas/</format_schema_path>
<max_server_memory_usage>{memory}</max_server_memory_usage><mark_cache_size>33554432</mark_cache_size>
<background_pool_size>2</background_pool_size><background_schedule_pool_size>8</background_schedule_pool_size>
<merge_tree><number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
<number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
<number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition></merge_tree>
<storage_configuration><disks><backups><type>local</type><path>{backups}/</path></backups></disks></storage_configuration>
<backups><allowed_disk>backups</allowed_disk></backups>
<timezone>UTC</timezone><default_profile>default</default_profile><default_database>default</default_database>
<profiles><default/></profiles><quotas><default/></quotas>
<users><default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
<access_management>1</access_management></default></users>
<user_directories><users_xml><path>{home}/config.xml</path></users_xml>
<local_directory><path>{home}/access/</path></local_directory></user_directories>{cluster}</clickhouse>"""
_KEEPER = """<clickhouse>{common}<keeper_server><tcp_port>{port}</tcp_port><server_id>1</server_id>
<log_storage_path>{home}/data/log</log_storage_path><snapshot_storage_path>{home}/data/snapshots</snapshot_storage_path>
<coordination_settings><session_timeout_ms>4000</session_timeout_ms><raft_logs_level>warning</raft_logs_level></coordination_settings>
<raft_configuration><server><id>1</id><hostname>127.0.0.1</hostname><port>{raft}</port></server></raft_configuration>
</keeper_server></clickhouse>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One server process's place."""

    name: str
    shard: int
    http: int
    tcp: int
    interserver: int

    @property
    def url(self) -> str:
        """Where it speaks HTTP."""
        return f"http://default@127.0.0.1:{self.http}"


@dataclass(slots=True)
class ClickHouse:
    """Servers of one folder; a context manager that ends them all."""

    binary: Path
    folder: Path
    nodes: tuple[Node, ...]
    keeper: tuple[int, int] | None  # client and raft port
    memory_bytes: int = 2_000_000_000
    backups: Path | None = None  # the folder that all servers know as the disk `backups`; None: in this one's
    drop_ins: Sequence[Path] = ()  # configuration files that each server also reads
    _running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @classmethod
    def of(cls, binary: Path, folder: Path, *, shards: int = 1, replicas: int = 1, **how: Any) -> Self:
        """Plan servers; more than one get a Keeper, and are the cluster ``main``."""
        count = shards * replicas
        ports = free_ports(3 * count + 2)
        nodes = tuple(
            Node(
                name=f"s{number // replicas + 1}r{number % replicas + 1}",
                shard=number // replicas + 1,
                http=ports[3 * number],
                tcp=ports[3 * number + 1],
                interserver=ports[3 * number + 2],
            )
            for number in range(count)
        )
        return cls(binary, folder, nodes, (ports[-2], ports[-1]) if count > 1 else None, **how)

    def __enter__(self) -> Self:
        """Start all and wait until they answer."""
        try:
            if self.keeper:
                self._launch("keeper")
            for node in self.nodes:
                self._launch(node.name)
            for node in self.nodes:
                self.wait(node.name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Kill all and remove their folder."""
        for name in tuple(self._running):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def urls(self) -> tuple[str, ...]:
        """Every node's URL."""
        return tuple(node.url for node in self.nodes)

    def node(self, name: str) -> Node:
        """Find a node."""
        return next(node for node in self.nodes if node.name == name)

    def pid(self, name: str) -> int:
        """Its process; `keeper` is one too."""
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """End one process as a power cut does."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def lose(self, name: str) -> None:
        """End one process and empty its disk, as if the machine were gone for good; started again, it is a new one."""
        self.kill(name)
        shutil.rmtree(self.folder / name)

    def start(self, name: str) -> None:
        """Start one again and wait until it answers."""
        self._launch(name)
        if name != "keeper":
            self.wait(name)

    def ask(self, name: str, sql: str) -> str:
        """Ask one node something over HTTP."""
        url = f"http://127.0.0.1:{self.node(name).http}/?{urllib.parse.urlencode({'query': sql})}"
        with urllib.request.urlopen(url, data=b"", timeout=30) as answer:
            return str(answer.read().decode().strip())

    def wait(self, name: str) -> None:
        """Wait until a node answers, and has its Keeper where it needs one."""
        question = "SELECT count() FROM system.zookeeper WHERE path = '/'" if self.keeper else "SELECT 1"
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self.ask(name, question)
            except (OSError, urllib.error.HTTPError) as error:
                log = self.folder / name / "err"
                said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                if self._running[name].poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{name} does not answer ({error}): {said}") from error
                time.sleep(0.1)
            else:
                return

    def _launch(self, name: str) -> None:
        home = self.folder / name
        home.mkdir(parents=True, exist_ok=True)
        text = self._keeper_config(home) if name == "keeper" else self._server_config(self.node(name), home)
        (home / "config.xml").write_text(text, encoding="utf-8")
        if self.drop_ins:
            (home / "config.d").mkdir(exist_ok=True)
            for path in self.drop_ins:
                shutil.copy(path, home / "config.d" / path.name)
        mode = "keeper" if name == "keeper" else "server"
        with (home / "out").open("ab") as out:
            self._running[name] = subprocess.Popen(
                [self.binary, mode, f"--config-file={home}/config.xml"],
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, "CLICKHOUSE_WATCHDOG_ENABLE": "0"},
            )

    def _keeper_config(self, home: Path) -> str:
        port, raft = self.keeper or (0, 0)
        return _KEEPER.format(common=_COMMON.format(home=home), home=home, port=port, raft=raft)

    def _server_config(self, node: Node, home: Path) -> str:
        return _SERVER.format(
            common=_COMMON.format(home=home),
            home=home,
            http=node.http,
            tcp=node.tcp,
            interserver=node.interserver,
            memory=self.memory_bytes,
            backups=self.backups or self.folder / "backups",
            cluster=self._cluster_config(node, self.keeper[0]) if self.keeper else "",
        )

    def _cluster_config(self, own: Node, keeper: int) -> str:
        shards: dict[int, str] = {}
        for node in self.nodes:
            replica = f"<replica><host>127.0.0.1</host><port>{node.tcp}</port></replica>"
            shards[node.shard] = shards.get(node.shard, "") + replica
        listed = "".join(
            f"<shard><internal_replication>true</internal_replication>{each}</shard>" for each in shards.values()
        )
        return (
            f"<keeper_map_path_prefix>/clickhouse/keeper_map</keeper_map_path_prefix>"
            f"<zookeeper><node><host>127.0.0.1</host><port>{keeper}</port></node>"
            f"<session_timeout_ms>4000</session_timeout_ms></zookeeper>"
            f"<distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>"
            f"<remote_servers><{CLUSTER}>{listed}</{CLUSTER}></remote_servers>"
            f"<macros><shard>{own.shard:02d}</shard><replica>{own.name}</replica></macros>"
        )


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in held]
    finally:
        for each in held:
            each.close()

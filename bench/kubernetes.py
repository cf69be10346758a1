"""The chart's pods, run without Kubernetes: nothing may be lost whichever of them dies.

    CLICKHOUSE_BINARY=… python bench/kubernetes.py --json bench/results/kubernetes.json

Renders the chart for three collectors, two evaluators and a console over a cluster of two shards and two replicas, and starts the
containers' own commands with their files, variables and secrets as processes, each at a loopback address of its own, with TLS, ingest keys
and access keys. A guard and a score given to the console are passed on. The evaluator that works is killed, a collector is killed with
a full spool while a replica of each shard is away and starts again over the same volume, and another is told to end, as by a scale-down.
Memory is read while all are idle and at the end.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import grpc
import trustme

from _chart import find_helm, render
from _clickhouse import CLUSTER, ClickHouse
from _kubelet import Machine, Pod
from _load import Template, prepared
from _report import Figure, arguments, report
from _watch import rss_mb
from tocsin_collector.receive.grpc_server import TRACE_SERVICE

PEER: Final = "what-parts-show-each-other"
BATCH: Final = 512
USER: Final = 10001  # as the manifests say; only root can become it
_PATIENCE_S: Final = 300.0


def main() -> None:
    """Run, print, write."""
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=200, help="to each collector, of 512 spans")
    parser.add_argument(
        "--python", default="", help="an interpreter for everybody: the pods run as 10001, as root alone can let them"
    )
    options = parser.parse_args()
    binary, helm = os.environ.get("CLICKHOUSE_BINARY"), find_helm()
    if not binary or not helm:
        parser.error("expected CLICKHOUSE_BINARY, and Helm from .ci/helm .cache/helm or in TOCSIN_HELM")
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-pods-") as name,
        ClickHouse.of(Path(binary), Path(name) / "cluster", shards=2, replicas=2) as cluster,
        _machine(helm, cluster, Path(name), options.python) as machine,
    ):
        figures = Scenario(cluster, machine, options.requests).figures()
    report("the chart's pods over a cluster", figures, options.json)


def _machine(helm: str, cluster: ClickHouse, folder: Path, python: str) -> Machine:
    urls = ",".join(f"http://127.0.0.1:{node.http}" for node in cluster.nodes)
    values = f"mode=distributed,store.urls={{{urls}}},store.cluster={CLUSTER},tls.existingSecret=tls,access.existingSecret=access"
    made = render(helm, "tocsin", "ml", "--set", values)
    files = folder / "tls"
    files.mkdir()
    authority = trustme.CA()
    issued = authority.issue_cert(*(f"127.0.{number}.1" for number in range(1, 12)))
    (files / "tls.crt").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(files / "tls.key")
    authority.cert_pem.write_to_path(files / "ca.crt")
    secrets = {("tls", ""): str(files), ("access", "peer"): PEER}
    user = USER if python else None
    for path in (folder, *files.iterdir()):
        path.chmod(0o755)
    return Machine(
        made.pods(),
        made.config_maps(),
        secrets,
        folder,
        user,
        python or sys.executable,
        {"tocsin-collector-pods": "127.0.2.1"},
    )


class Scenario:
    """An install, three deaths, and the books at the end."""

    def __init__(self, cluster: ClickHouse, machine: Machine, requests: int) -> None:
        self._cluster = cluster
        self._machine = machine
        self._templates = [Template(request) for request in prepared(BATCH, 1, ai_share=0.1)]
        self._requests = requests
        self._acked = 0
        self._key = ""
        self._trust = grpc.ssl_channel_credentials((Path(machine.secrets["tls", ""]) / "ca.crt").read_bytes())

    def figures(self) -> list[Figure]:
        """Run it."""
        started = time.monotonic()
        migration = self._machine.pod("migration").start()
        if migration.process is None or migration.process.wait(_PATIENCE_S) != 0:
            raise RuntimeError(f"expected the tables to be made: {migration.log()}")
        migrated_s = time.monotonic() - started
        collectors = [self._machine.pod("collector", number).start() for number in range(3)]
        evaluators = [self._machine.pod("evaluator", number).start() for number in range(2)]
        console = self._machine.pod("console").start()
        for pod in (*collectors, *evaluators, console):
            pod.until(pod.is_ready, "the probes")
        ready_s = time.monotonic() - started
        self._key = console.run("keys", "create", "shop", "--name", "checkout").strip()
        operator = console.run("keys", "create", "--role", "operator", "--name", "ana").strip()
        idle = {pod.part: rss_mb(pod.pid) for pod in (collectors[0], console)}

        for pod in collectors:
            _until(lambda pod=pod: self._is_known(pod), "the key to be known")
            self._send(pod, self._requests)
        _until(lambda: self._stored() == self._acked, "all to be stored")

        working, waiting = self._who_works(evaluators)
        idle |= {"evaluator": rss_mb(working.pid)}
        killed = time.monotonic()
        working.ends(kill=True)
        _until(lambda: waiting.ask("/readyz")[0] == 200, "the other evaluator")
        takeover_s = time.monotonic() - killed
        passed_on = self._passed_on(console, waiting, operator)
        found_s = self._guard_found_s(working, waiting)

        replicas = [node.name for node in self._cluster.nodes if node.name.endswith("r2")]
        for name in replicas:
            self._cluster.kill(name)
        before = self._stored()
        self._send(collectors[1], self._requests)
        in_spool = self._acked - before
        collectors[1].ends(kill=True)
        stored_meanwhile = self._stored() - before
        for name in replicas:
            self._cluster.start(name)
        collectors[1].start()
        _until(lambda: self._stored() == self._acked, "what the killed collector had acknowledged")

        self._send(collectors[2], self._requests)
        ending = time.monotonic()
        code = collectors[2].ends()
        drained_s = time.monotonic() - ending
        left = len(list((collectors[2].folder / "data" / "spool").rglob("*.seg*")))
        _until(lambda: self._stored() >= self._acked, "what the last one had")
        unlike = int(self._ask("SELECT uniqExact(SpanId) FROM tocsin.otel_traces"))
        peaks = {
            "collector": rss_mb(collectors[0].pid),
            "console": rss_mb(console.pid),
            "evaluator": rss_mb(waiting.pid),
        }
        members = int(self._ask("SELECT uniqExact(collector) FROM tocsin.watermarks FINAL WHERE state != 'ended'"))
        codes = [pod.ends() for pod in (*collectors[:2], waiting, console)]
        return [
            Figure(name="acknowledged_spans", value=self._acked, unit="spans"),
            Figure(name="missing", value=self._acked - unlike, unit="spans", goal="== 0"),
            Figure(name="duplicates", value=self._stored() - unlike, unit="rows", goal="== 0"),
            Figure(name="tables_made_s", value=migrated_s, unit="s"),
            Figure(name="all_ready_s", value=ready_s, unit="s"),
            Figure(name="takeover_s", value=takeover_s, unit="s"),
            Figure(name="guard_found_s", value=found_s, unit="s"),
            Figure(name="in_spool_when_killed", value=in_spool - stored_meanwhile, unit="spans", goal=">= 1"),
            Figure(name="drained_s", value=drained_s, unit="s", goal="<= 300"),
            Figure(name="segments_left_after_drain", value=left, unit="files", goal="== 0"),
            Figure(name="collectors_waited_for", value=members, unit="", goal="== 2"),
            Figure(name="passed_on_by_console", value=passed_on, unit="", goal="== 2"),
            Figure(name="exit_codes_not_0", value=sum(map(bool, [code, *codes])), unit="", goal="== 0"),
            *(Figure(name=f"rss_{part}_idle_mb", value=mb, unit="MB") for part, mb in sorted(idle.items())),
            *(Figure(name=f"rss_{part}_end_mb", value=mb, unit="MB") for part, mb in sorted(peaks.items())),
        ]

    def _who_works(self, evaluators: list[Pod]) -> tuple[Pod, Pod]:
        _until(lambda: any(pod.ask("/readyz")[0] == 200 for pod in evaluators), "an evaluator to work")
        first, second = sorted(evaluators, key=lambda pod: pod.ask("/readyz")[0] != 200)
        return first, second

    def _passed_on(self, console: Pod, evaluator: Pod, key: str) -> int:
        """Decide about a guard and score a call in the console; count what another part then has."""
        decision = {"action": "set", "state": "fallback", "cause": "a rehearsal", "project": "shop"}
        console.ask("/api/guard/digit-reader", key=key, body=decision)
        guards = evaluator.ask("/api/guard", key=key)[1]["guards"]
        score = {"call": {"key": "order-1", "use_case": "digit-reader"}, "label": "3", "project": "shop"}
        _, said = console.ask("/api/outcomes", key=key, body={"outcomes": [score]})
        return sum(row["state_in_force"] == "fallback" for row in guards) + int(said["accepted"])

    def _guard_found_s(self, *evaluators: Pod) -> float:
        """Connect as a service does to a headless name of all evaluators, the dead one first: only the one that works listens."""
        addresses = ",".join(f"{pod.ip}:8015" for pod in evaluators)
        began = time.monotonic()
        options = [("grpc.ssl_target_name_override", evaluators[0].ip)]  # a certificate is of the name, not of the pod
        with grpc.secure_channel(f"ipv4:{addresses}", self._trust, options) as channel:
            grpc.channel_ready_future(channel).result(_PATIENCE_S)
        return time.monotonic() - began

    def _is_known(self, pod: Pod) -> bool:
        """Whether the collector takes the key, which it reads every five seconds."""
        try:
            self._send(pod, 1)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAUTHENTICATED:
                raise
            return False
        return True

    def _send(self, pod: Pod, requests: int) -> None:
        """Send so many requests; every one that returns is acknowledged."""
        with grpc.secure_channel(f"{pod.ip}:4317", self._trust) as channel:
            export = channel.unary_unary(f"/{TRACE_SERVICE}/Export")
            for _ in range(requests):
                serial = self._acked // BATCH
                body = self._templates[serial % len(self._templates)].numbered(serial)
                export(body, metadata=[("authorization", f"Bearer {self._key}")], timeout=_PATIENCE_S)
                self._acked += BATCH

    def _stored(self) -> int:
        return int(self._ask("SELECT count() FROM tocsin.otel_traces"))

    def _ask(self, sql: str) -> str:
        return self._cluster.ask("s1r1", sql)


def _until(holds: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"expected {what} within {_PATIENCE_S:g} s")
        time.sleep(0.2)


if __name__ == "__main__":
    main()

"""The single pod's own command, run as rendered. What several pods do over a cluster is bench/kubernetes.py's."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import trustme
from bench._kubelet import Machine, Pod
from tests.collector.sending import trace_request
from tests.deploy.chart import example

from tocsin_collector.receive.grpc_server import TRACE_SERVICE

PATIENCE_S = 300.0

pytestmark = pytest.mark.allow_hosts(["127.0.1.1"])


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    """The pod of the least values, started with a certificate of its own."""
    objects = example("single")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.1.1")
    (tmp_path / "tls.crt").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(tmp_path / "tls.key")
    authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    secrets = {("tocsin-tls", ""): str(tmp_path)}
    with Machine(objects.pods(), objects.config_maps(), secrets, tmp_path) as machine:
        yield machine.pod("single").start()


def test_the_single_pod_does_what_its_manifest_says(pod: Pod, tmp_path: Path) -> None:
    """Files, variables and arguments as the kubelet gives them: probes pass, a keyed span over TLS is stored, and SIGTERM ends it in time."""
    pod.until(pod.is_ready, "the probes")
    strangers = {path: pod.ask(path)[0] for path in ("/metrics", "/api/status")}
    key = pod.run("keys", "create", "shop", "--name", "checkout").strip()
    viewer = pod.run("keys", "create", "--role", "viewer", "--name", "prometheus").strip()
    trust = grpc.ssl_channel_credentials((tmp_path / "ca.crt").read_bytes())

    with grpc.secure_channel(f"{pod.ip}:4317", trust) as channel:
        export = channel.unary_unary(f"/{TRACE_SERVICE}/Export")
        export(trace_request(3).SerializeToString(), metadata=[("x-tocsin-key", key)], timeout=PATIENCE_S)
    stored = 'tocsin_collector_items_total{kind="spans",fate="stored"} 3\n'
    pod.until(lambda: stored in pod.ask("/metrics", key=viewer)[1], "the spans")

    assert strangers == {"/metrics": 401, "/api/status": 401}
    assert pod.ends() == 0, pod.log()

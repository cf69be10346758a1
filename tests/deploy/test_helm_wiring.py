"""What the chart's objects say of each other, and of the product that has to run in its pods."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from bench._chart import PART, Object, Rendered, containers, ports, secrets_of
from bench._kubelet import arguments, environment, mount
from tests.deploy.chart import EXAMPLES, NAMESPACE, RELEASE, example, size_of

from tocsin_alerts.plan import Plans
from tocsin_collector.settings import CollectorSettings
from tocsin_console.access.required import _OPEN
from tocsin_console.addresses import require_protected
from tocsin_console.config import Config, Flags, resolve
from tocsin_console.process import _NEEDS
from tocsin_console.roles import LISTENS, Role
from tocsin_console.serve import _END_S

POD_IP: Final = "10.42.0.7"
ROLE_OF: Final[Mapping[str, Role]] = {
    "single": "up",
    "collector": "collector",
    "evaluator": "evaluator",
    "console": "console",
}


@pytest.fixture(params=EXAMPLES)
def objects(request: pytest.FixtureRequest) -> Rendered:
    """All that one set of example values makes."""
    return example(request.param)


def test_selectors_select_and_names_lead_somewhere(objects: Rendered) -> None:
    """A Service without pods, a budget of nothing, a scaler of something that is not there: all are accepted, and do nothing."""
    workloads = {(each["kind"], each["metadata"]["name"]) for each in objects.kind("Deployment", "StatefulSet")}
    services = {each["metadata"]["name"]: each for each in objects.kind("Service")}

    for each in objects.kind("Service"):
        assert len(objects.selected(each["spec"]["selector"])) == 1, each["metadata"]["name"]
    for each in objects.kind("PodDisruptionBudget"):
        assert len(objects.selected(each["spec"]["selector"]["matchLabels"])) == 1
    for each in objects.kind("Deployment", "StatefulSet"):
        assert objects.selected(each["spec"]["selector"]["matchLabels"]).keys() == {each["metadata"]["labels"][PART]}
    for each in objects.kind("StatefulSet"):
        assert each["spec"]["serviceName"] in services
    for each in objects.kind("HorizontalPodAutoscaler"):
        target = each["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) in workloads
        scaled = objects.one(target["kind"], target["name"])
        assert "replicas" not in scaled["spec"]  # an upgrade would set them back
    for each in objects.kind("Ingress"):
        [backend] = [path["backend"]["service"] for rule in each["spec"]["rules"] for path in rule["http"]["paths"]]
        assert backend["port"]["name"] in {port["name"] for port in services[backend["name"]]["spec"]["ports"]}
    assert {each["metadata"]["namespace"] for each in objects.objects} == {NAMESPACE}
    assert all(len(each["metadata"]["name"]) <= 63 for each in objects.objects)


def test_figures_are_scraped_from_every_part_once() -> None:
    """Two Services that both lead to a collector's figures would count every span twice."""
    objects = example("everything")
    [monitor] = objects.kind("ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()

    scraped = [
        part
        for service in objects.kind("Service")
        if wanted <= service["metadata"]["labels"].items()
        for port in service["spec"]["ports"]
        if port["name"] == monitor["spec"]["endpoints"][0]["port"]
        for part in objects.selected(service["spec"]["selector"])
    ]

    assert sorted(scraped) == ["collector", "console", "evaluator"]


def _configured(objects: Rendered, part: str, folder: Path) -> Config:
    """Read a pod's configuration as its process does, from files laid out as the kubelet lays them."""
    pod = objects.pods()[part]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    secrets = {each: f"the secret {each}" for each in secrets_of(pod)}
    variables = environment(pod, secrets, ip=POD_IP)
    mount(volumes["config"], objects.config_maps(), folder)
    words = arguments(pod, variables)
    flags = dict(word.removeprefix("--").split("=", 1) for word in words[1:])
    assert words[0] == ROLE_OF.get(part, "migrate")
    told = {**variables, "TOCSIN_CONFIG": str(folder / "tocsin.yaml")}
    return resolve(Flags(**flags), environment=told, cwd=folder)  # type: ignore[arg-type]


def test_every_port_is_one_that_the_product_listens_on(objects: Rendered, tmp_path: Path) -> None:
    """From the Service's port over the container's name to what tocsin.yaml makes the process bind."""
    for part, role in ROLE_OF.items():
        if part not in objects.pods():
            continue
        config = _configured(objects, part, _made(tmp_path / part))
        bound = {name: getattr(config, name) for name in LISTENS[role]}
        assert ports(objects.pods()[part]) == {name: address.port for name, address in bound.items()}
        assert not any(address.is_loopback for address in bound.values())
    for service in objects.kind("Service"):
        for pod in objects.selected(service["spec"]["selector"]).values():
            for port in service["spec"]["ports"]:
                assert ports(pod)[port["targetPort"]] == port["port"]


def test_the_process_would_be_allowed_to_listen_there(objects: Rendered, tmp_path: Path) -> None:
    """Beyond loopback each listener asks for TLS, keys or logins: what the chart lets through must not fail at the first start."""
    for part, role in ROLE_OF.items():
        if part not in objects.pods():
            continue
        config = _configured(objects, part, _made(tmp_path / part))
        for what in () if config.insecure else LISTENS[role]:
            require_protected(
                getattr(config, what),
                option=what,
                needs=_NEEDS[what],
                tls=config.tls is not None,
                keys=config.ingest_keys == "required",
                logins=config.access.login != "none",
            )
        assert config.api_takes_any_host  # the kubelet and Prometheus name the pod by its address


def test_an_evaluator_says_where_it_can_be_reached(tmp_path: Path) -> None:
    """A console passes decisions on to the address in the lease; 0.0.0.0 would be the console itself."""
    config = _configured(example("cluster"), "evaluator", tmp_path)

    assert str(config.api) == f"{POD_IP}:8317"
    assert config.peer_secret == "the secret ('tocsin-access', 'peer')"
    assert str(config.collector_api) == f"{RELEASE}-collector-pods:8317"


def test_values_reach_the_configuration_and_plans_are_found(tmp_path: Path) -> None:
    """What the operator wrote under config and useCases, beside what the chart says itself."""
    config = _configured(example("everything"), "evaluator", tmp_path)

    assert config.store.cluster == "main"
    assert config.store.insert_quorum == "2"
    assert config.limits.max_value_bytes == 1048576
    assert [each.name for each in config.channels] == ["pagerduty", "log"]
    assert config.retention.keys() == {"otel_traces"}
    assert [plan.use_case for plan in Plans.load(config.use_cases_dir)] == ["ticket-triage"]
    assert config.public_url == "https://tocsin.example.com"


def test_the_tables_are_made_by_whom_the_values_name(tmp_path: Path) -> None:
    """The job speaks to the same store as the parts, as a user of its own where there is one."""
    objects = example("everything")
    parts, job = (_configured(objects, part, _made(tmp_path / part)) for part in ("collector", "migration"))

    assert (job.store.url, job.store.more_urls, job.store.cluster, job.database) == (
        parts.store.url,
        parts.store.more_urls,
        parts.store.cluster,
        parts.database,
    )
    assert (job.store.user, job.store.password) == ("owner", "the secret ('tocsin-migration', 'password')")
    assert (parts.store.user, parts.store.password) == ("tocsin", "the secret ('tocsin-store', 'parts')")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


# Who speaks to whom: what the policies let through, no more and no less.
_FLOWS: Final = {
    "single": {("test", "single", 8317)},
    "one-server": {
        ("console", "collector", 8317),
        ("evaluator", "collector", 8317),
        ("console", "evaluator", 8317),
        *(("test", part, 8317) for part in ("collector", "evaluator", "console")),
    },
}
_FLOWS_OF: Final = {name: _FLOWS.get(name, _FLOWS["one-server"]) for name in EXAMPLES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_policies_let_the_parts_speak_as_they_must(name: str) -> None:
    """Both ends: what may leave one pod must be let in by the other."""
    objects = example(name)
    policies = objects.kind("NetworkPolicy")

    allowed = set()
    for (source, from_pod), (target, to_pod) in itertools.product(objects.pods().items(), repeat=2):
        for port in ports(to_pod).values():
            leaves = _allows(policies, from_pod, "egress", to_pod, port)
            if leaves and _allows(policies, to_pod, "ingress", from_pod, port, own=True):
                allowed.add((source, target, port))

    assert allowed == _FLOWS_OF[name]


def test_policies_deny_the_rest_and_select_what_is_there(objects: Rendered) -> None:
    """Every pod of the release is under the one that denies; no rule is open to everybody by an empty list."""
    policies = objects.kind("NetworkPolicy")
    [deny] = [each for each in policies if not each["spec"].get("ingress") and not each["spec"].get("egress")]

    assert objects.selected(deny["spec"]["podSelector"]["matchLabels"]).keys() == objects.pods().keys()
    assert all(each["spec"]["policyTypes"] == ["Ingress", "Egress"] for each in policies)
    for each in policies:
        assert objects.selected(each["spec"]["podSelector"]["matchLabels"])
        for way, peers in (("ingress", "from"), ("egress", "to")):
            for rule in each["spec"].get(way, ()):
                assert rule[peers], each["metadata"]["name"]
                assert rule["ports"], each["metadata"]["name"]
                for peer in rule[peers]:
                    labels = peer.get("podSelector", {}).get("matchLabels")
                    assert labels is None or objects.selected(labels)
                if way == "ingress":
                    [pod] = objects.selected(each["spec"]["podSelector"]["matchLabels"]).values()
                    assert {port["port"] for port in rule["ports"]} <= set(ports(pod).values())


def test_parts_reach_the_store_on_the_ports_of_its_addresses() -> None:
    """Without a port https is 8443, as the client has it; a collector reaches nothing else."""
    objects = example("everything")

    open_to = {
        part: {
            port["port"]
            for rule in objects.one("NetworkPolicy", f"quality-{part}")["spec"]["egress"]
            for port in rule["ports"]
        }
        for part in ("collector", "evaluator", "migration")
    }

    assert open_to == {
        "collector": {53, 8443, 9440},
        "evaluator": {53, 443, 8317, 8443, 9440},
        "migration": {53, 8443, 9440},
    }


def _allows(policies: list[Object], pod: Object, way: str, other: Object, port: int, *, own: bool = False) -> bool:
    """Whether some policy of a pod lets something through; ``own``: as a part of the release, not as anybody."""
    labels, others = pod["metadata"]["labels"], other["metadata"]["labels"]
    for policy in policies:
        if policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items():
            for rule in policy["spec"].get(way, ()):
                for peer in rule["from" if way == "ingress" else "to"]:
                    wanted = peer.get("podSelector", {}).get("matchLabels")
                    is_it = bool(wanted) and wanted.items() <= others.items()
                    if (
                        is_it or (not own and "ipBlock" not in peer and not wanted and "podSelector" in peer)
                    ) and port in {each["port"] for each in rule["ports"]}:
                        return True
    return False


def test_only_what_tells_people_gets_the_secrets_of_channels() -> None:
    """A collector, which the whole cluster may reach, has no use for a pager's key."""
    found = {part: {name for name, _ in secrets_of(pod)} for part, pod in example("everything").pods().items()}

    assert {part for part, names in found.items() if "tocsin-channels" in names} == {"evaluator", "console"}
    assert {part for part, names in found.items() if "tocsin-access" in names} == {"collector", "evaluator", "console"}
    assert found["test"] == set()


def test_a_collector_has_the_time_to_load_what_it_holds_and_keeps_the_rest(tmp_path: Path) -> None:
    """What it acknowledged is on a disk that outlives the pod, the scaling and the release; the drain ends before the kubelet kills."""
    objects = example("cluster")
    [claim] = objects.one("StatefulSet", f"{RELEASE}-collector")["spec"]["volumeClaimTemplates"]
    spec = objects.pods()["collector"]["spec"]
    config = _configured(objects, "collector", tmp_path)

    mounts = {each["mountPath"]: each["name"] for each in containers(objects.pods()["collector"])[0]["volumeMounts"]}
    assert mounts["/var/lib/tocsin"] == claim["metadata"]["name"] == "data"
    assert "data" not in {volume["name"] for volume in spec["volumes"]}
    kept = objects.one("StatefulSet", f"{RELEASE}-collector")["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert kept == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    pause_s = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] >= config.drain_s + _END_S + pause_s
    settings = CollectorSettings(data_dir=tmp_path)
    assert config.spool_max_bytes == settings.spool_max_bytes
    room = size_of(claim["spec"]["resources"]["requests"]["storage"])
    assert room >= 1.5 * (settings.spool_max_bytes + settings.damaged_max_bytes)


def test_probes_ask_for_what_each_part_answers(objects: Rendered) -> None:
    """Paths that every role serves without a key."""
    for part, pod in objects.pods().items():
        if part in {"migration", "test"}:
            continue
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = containers(pod)[0][probe]["httpGet"]
            assert asked["path"] in _OPEN
            assert asked["port"] in ports(pod)

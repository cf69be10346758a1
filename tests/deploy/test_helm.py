"""The chart: rendered by Helm, judged by Helm's own linter, by Kubernetes' schemas and by Pod Security; values that contradict each other."""

import copy
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final

import jsonschema
import kubernetes_validate
import pytest
import yaml
from bench._chart import CHART, ROOT, Object, Rendered, containers, helm
from tests.deploy.chart import EXAMPLES, RELEASE, binary, example, refusal, rendered, size_of, values_of
from tests.deploy.pod_security import RESTRICTED

KUBERNETES: Final = ("1.30", "1.33", "1.35", "1.37")
# What of monitoring.coreos.com/v1 the chart uses, as the operator's API reference describes it.
SERVICE_MONITOR: Final = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["endpoints", "selector"],
            "properties": {
                "jobLabel": {"type": "string"},
                "selector": {"type": "object", "properties": {"matchLabels": {"type": "object"}}},
                "namespaceSelector": {"type": "object", "properties": {"matchNames": {"type": "array"}}},
                "endpoints": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["port"],
                        "properties": {
                            "port": {"type": "string"},
                            "path": {"type": "string", "pattern": "^/"},
                            "interval": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
                            "authorization": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "type": {"const": "Bearer"},
                                    "credentials": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "required": ["name", "key"],
                                        "properties": {"name": {"type": "string"}, "key": {"type": "string"}},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


@pytest.fixture(params=EXAMPLES)
def objects(request: pytest.FixtureRequest) -> Rendered:
    """All that one set of example values makes."""
    return example(request.param)


@pytest.mark.parametrize("name", EXAMPLES)
def test_helm_finds_nothing_to_complain_of(name: str) -> None:
    """Strict: a warning is a chart that a newer Helm refuses."""
    done = helm(binary(), "lint", "--strict", str(CHART), "--values", values_of(name))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("of_kubernetes", KUBERNETES)
def test_every_object_is_one_that_kubernetes_takes(objects: Rendered, of_kubernetes: str) -> None:
    """Strict: an unknown field is a typing error, which an API server leaves out without a word."""
    for each in objects.objects:
        if each["kind"] == "ServiceMonitor":
            jsonschema.validate(each, SERVICE_MONITOR)
        else:
            kubernetes_validate.validate(each, of_kubernetes, strict=True)


def test_a_field_that_kubernetes_does_not_know_would_be_found() -> None:
    """The check above must be able to fail."""
    broken = copy.deepcopy(example("single").one("StatefulSet", RELEASE))
    broken["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize("control", RESTRICTED)
def test_pods_keep_to_pod_security_restricted(control: str) -> None:
    """A namespace that enforces the standard takes every pod, jobs and tests too."""
    for name in EXAMPLES:
        found = {part: list(RESTRICTED[control](pod["spec"])) for part, pod in example(name).pods().items()}
        assert not any(found.values()), (name, found)


def _change(path: str, value: Any) -> Callable[[Object], None]:
    def change(spec: Object) -> None:
        *way, last = [int(word) if word.isdecimal() else word for word in path.split(".")]
        place: Any = spec
        for word in way:
            place = place.setdefault(word, {}) if isinstance(place, dict) else place[word]
        if isinstance(place, list):
            place.append(value)
        else:
            place[last] = value

    return change


_BREAKS: Final[Mapping[str, Callable[[Object], None]]] = {
    "HostProcess": _change("securityContext.windowsOptions", {"hostProcess": True}),
    "Host Namespaces": _change("hostPID", value=True),
    "Privileged Containers": _change("containers.0.securityContext.privileged", value=True),
    "Capabilities": _change("containers.0.securityContext.capabilities", {"drop": ["ALL"], "add": ["SYS_PTRACE"]}),
    "Volume Types": _change("volumes.-", {"name": "host", "hostPath": {"path": "/"}}),
    "Host Ports": _change("containers.0.ports.0.hostPort", 4317),
    "Host Probes / Lifecycle Hooks": _change("containers.0.livenessProbe.httpGet.host", "10.0.0.1"),
    "AppArmor": _change("securityContext.appArmorProfile", {"type": "Unconfined"}),
    "SELinux": _change("securityContext.seLinuxOptions", {"user": "system_u"}),
    "/proc Mount Type": _change("containers.0.securityContext.procMount", "Unmasked"),
    "Sysctls": _change("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    "Privilege Escalation": _change("containers.0.securityContext.allowPrivilegeEscalation", value=True),
    "Running as Non-root": _change("containers.0.securityContext.runAsNonRoot", value=False),
    "Running as Non-root user": _change("containers.0.securityContext.runAsUser", 0),
    "Seccomp": _change("securityContext.seccompProfile", {"type": "Unconfined"}),
}


@pytest.mark.parametrize("control", RESTRICTED)
def test_each_control_finds_the_pod_that_breaks_it(control: str) -> None:
    """A check that finds nothing anywhere proves nothing; and each finds its own fault alone."""
    spec = copy.deepcopy(example("single").pods()["single"]["spec"])

    _BREAKS[control](spec)

    assert [name for name, check in RESTRICTED.items() if list(check(spec))] == [control]


def test_pods_ask_for_less_than_the_standard_allows(objects: Rendered) -> None:
    """Nothing of the image can be changed, no API server is spoken to, memory is bounded."""
    for part, pod in objects.pods().items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, part
        assert (spec["securityContext"]["runAsUser"], spec["securityContext"]["fsGroup"]) == (10001, 10001), part
        for each in containers(pod):
            assert each["securityContext"]["readOnlyRootFilesystem"] is True, part
            assert {"cpu", "memory"} <= each["resources"]["requests"].keys(), part
            assert "memory" in each["resources"]["limits"], part


def test_names_stay_within_what_kubernetes_takes() -> None:
    """A release's name may have 53 characters, and a pod's name is made of more."""
    made = rendered(
        "--set",
        "insecure=true,access.login=none,mode=distributed,store.urls={http://ch:8123}",
        release="r" * 53,
    )

    # The pods of a StatefulSet get a number, those of a Job a random suffix, and a label of their name has 63 characters.
    assert max(len(each["metadata"]["name"]) for each in made.objects) <= 52


SAFE: Final = "insecure=true"
OVER: Final = f"{SAFE},mode=distributed,access.login=none,store.urls={{http://ch:8123}}"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ("mode=single", r"expected tls\.existingSecret.*or set insecure=true"),
        ("tls.existingSecret=t,access.login=none", r"expected access\.login keys or proxy"),
        (f"{SAFE},access.login=proxy", r"expected access\.roles and access\.proxies"),
        (f"{SAFE},mode=distributed", r"expected store\.urls in distributed mode"),
        (f"{SAFE},mode=distributed,store.urls={{http://ch:8123}}", r"expected access\.existingSecret"),
        (f"{OVER},evaluator.replicas=2", r"evaluator\.replicas is 2, but a second evaluator can only wait"),
        (f"{OVER},evaluator.replicas=2,store.cluster=main,store.keeper=false", r"evaluator\.replicas is 2"),
        (f"{OVER},collector.autoscaling.minReplicas=20", r"minReplicas is 20 and maxReplicas 10"),
        (
            f"{OVER},collector.spool.size=60Gi,collector.spool.limit=60GiB",
            r"collector\.spool\.limit is 60GiB and the volume 60Gi",
        ),
        (f"{SAFE},store.urls={{http://ch:8123}}", r"store\.urls is set and mode is single"),
        (f"{SAFE},config.listen.api=x", r"config\.listen is said by a value of the chart's own"),
        (f"{SAFE},config.store.url=x", r"config\.store\.url is said by store"),
        (f"{SAFE},config.channels[0].name=p,config.channels[0].type=slack", r"the channel p could not be reached"),
        (f"{SAFE},config.dead_man.url=env:X", r"config\.dead_man speaks to something outside"),
        (f"{SAFE},ingress.enabled=true", r"expected ingress\.host"),
        (f"{SAFE},ingress.enabled=true,ingress.host=a.b", r"expected networkPolicy\.people"),
        (f"{SAFE},serviceMonitor.enabled=true", r"expected serviceMonitor\.existingSecret"),
        (f"{SAFE},serviceMonitor.enabled=true,serviceMonitor.existingSecret=m", r"expected networkPolicy\.scrapers"),
        (f"{SAFE},colector.replicas=2", r"additional properties 'colector' not allowed"),
        (f"{SAFE},collector.replicas=0", r"minimum: got 0, want 1"),
        (f"{OVER},store.urls={{http://user:pw@ch:8123}}", r"does not match pattern"),
    ],
)
def test_values_that_contradict_each_other_are_refused_in_a_sentence(values: str, sentence: str) -> None:
    """Found at the first render, not by a pod that ends again and again."""
    assert re.search(sentence, refusal("--set", values))


def test_evaluators_stand_by_only_where_one_can_take_over() -> None:
    """A second one refuses to start where the lease is in a table, and a rollout would never end."""
    alone, two = (example(name).one("Deployment", f"{RELEASE}-evaluator")["spec"] for name in ("one-server", "cluster"))

    assert (alone["replicas"], alone["strategy"]) == (1, {"type": "Recreate"})
    assert (two["replicas"], two["strategy"]["type"]) == (2, "RollingUpdate")
    assert two["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/healthz"


def test_memory_is_what_was_measured_and_half_as_much_again() -> None:
    """A limit below a measured peak is a collector that is killed under load, with its spool full."""
    measured = (
        _figures("growth")
        | _figures("ingest")
        | _figures("evaluate")
        | _figures("kubernetes")
        | _figures("sizing_cluster")
    )
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

    wants = {
        "single": (measured["rss_mb_all_calls"], 1.5 * measured["rss_peak_mb"]),
        "collector": (measured["collector_peak_mb_all_calls"], 1.5 * measured["rss_peak_mb"]),
        "evaluator": (evaluating := measured["rss_evaluator_idle_mb"] + measured["evaluators_peak_mb"], 2 * evaluating),
        "console": (measured["rss_console_idle_mb"], 2 * measured["rss_console_idle_mb"]),
    }

    for part, (requested_mb, limit_mb) in wants.items():
        said = values[part]["resources"]
        assert size_of(said["requests"]["memory"]) >= 1e6 * requested_mb, part
        assert size_of(said["limits"]["memory"]) >= 1e6 * limit_mb, part
    assert values["collector"]["drainSeconds"] >= 2 * (4 << 30) / 1032 / measured["stored_spans_per_s_all_calls"]


def _figures(name: str) -> dict[str, float]:
    said = json.loads((ROOT / "bench" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return {each["name"]: each["value"] for each in said["figures"]}


def test_the_charts_version_is_the_products() -> None:
    """The image that it asks for by default is the one it was made for."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert chart["appVersion"] == chart["version"] == project["version"]

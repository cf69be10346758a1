"""The Helm chart as the real Helm renders it, and what its objects say of each other. Nothing is contacted: no cluster, no repository."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[1]
CHART: Final = ROOT / "deploy" / "helm" / "tocsin"
PART: Final = "app.kubernetes.io/component"

Object = dict[str, Any]


def find_helm() -> str | None:
    """Give Helm's binary: TOCSIN_HELM, what is on the path, or what ``.ci/helm .cache/helm`` fetched."""
    return os.environ.get("TOCSIN_HELM") or shutil.which("helm") or shutil.which(ROOT / ".cache" / "helm" / "helm")


def helm(binary: str, *words: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run one command of Helm's."""
    return subprocess.run([binary, *words], capture_output=True, text=True, check=False, timeout=120, cwd=cwd)


def render(binary: str, release: str, namespace: str, *words: str) -> "Rendered":
    """Render the chart.

    Raises:
        RuntimeError: Helm refused; its words.
    """
    done = helm(binary, "template", release, str(CHART), "--namespace", namespace, *words)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return Rendered(tuple(each for each in yaml.safe_load_all(done.stdout) if each))


@dataclass(frozen=True)
class Rendered:
    """All objects of one set of values."""

    objects: tuple[Object, ...]

    def kind(self, *kinds: str) -> list[Object]:
        """Give those of some kinds."""
        return [each for each in self.objects if each["kind"] in kinds]

    def one(self, kind: str, name: str) -> Object:
        """Find one."""
        [found] = [each for each in self.kind(kind) if each["metadata"]["name"] == name]
        return found

    def pods(self) -> dict[str, Object]:
        """Give every pod, by its part: metadata and spec."""
        bare = {each["metadata"]["labels"][PART]: each for each in self.kind("Pod")}
        return bare | {
            template["metadata"]["labels"][PART]: template
            for each in self.kind("Deployment", "StatefulSet", "Job")
            for template in [each["spec"]["template"]]
        }

    def config_maps(self) -> dict[str, dict[str, str]]:
        """Give every ConfigMap's files, by name."""
        return {each["metadata"]["name"]: each["data"] for each in self.kind("ConfigMap")}

    def selected(self, selector: Mapping[str, str]) -> dict[str, Object]:
        """Give the pods that have these labels."""
        return {part: pod for part, pod in self.pods().items() if selector.items() <= pod["metadata"]["labels"].items()}


def containers(pod: Object) -> list[Object]:
    """List the containers of a pod, those that run before it included."""
    spec = pod["spec"]
    return [*spec.get("initContainers", []), *spec["containers"], *spec.get("ephemeralContainers", [])]


def ports(pod: Object) -> dict[str, int]:
    """Give what a pod's containers say they listen on, by name."""
    return {port["name"]: port["containerPort"] for each in containers(pod) for port in each.get("ports", [])}


def secrets_of(pod: Object) -> Iterator[tuple[str, str]]:
    """List the Secrets that a pod names, each with its key; an empty key is all of it, as files."""
    for each in containers(pod):
        for variable in each.get("env", []):
            if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                yield reference["name"], reference["key"]
    for volume in pod["spec"].get("volumes", []):
        if "secret" in volume:
            yield volume["secret"]["secretName"], ""

"""Rendered pods as processes of this machine: each at a loopback address of its own, with its files, variables and arguments."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

Object = dict[str, Any]
_TMP: Final = "/tmp"  # noqa: S108 - the container's


@dataclass
class Pod:
    """One pod: where it is, and its process while it runs."""

    part: str
    name: str
    ip: str
    spec: Object
    folder: Path
    words: list[str]
    variables: dict[str, str]
    python: str
    user: int | None  # None: who runs this
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        """The process's number, while it runs."""
        return self._running().pid

    def start(self) -> Self:
        """Start its container, over whatever its volume holds."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "tocsin_console", *self.words],
                env=self.variables,
                cwd=self.folder / "data",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._identity(),
            )
        return self

    def ends(self, *, kill: bool = False) -> int:
        """End it as the kubelet does, or as a node that dies; returns its exit code."""
        running = self._running()
        if kill:
            running.kill()
        else:
            running.terminate()
        code = running.wait(timeout=self.spec["spec"].get("terminationGracePeriodSeconds", 30))
        self.process = None
        return code

    def until(self, holds: Callable[[], Any], what: str, *, patience_s: float | None = None) -> None:
        """Wait for something, as long as the manifest lets the pod start unless told otherwise.

        Raises:
            RuntimeError: it did not come, or the pod ended; its log.
        """
        startup = self.spec["spec"]["containers"][0].get("startupProbe", {"periodSeconds": 1, "failureThreshold": 300})
        limit_s = startup["periodSeconds"] * startup["failureThreshold"] if patience_s is None else patience_s
        deadline = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > deadline:
                raise RuntimeError(f"expected {what} of {self.name} within {limit_s:g} s: {self.log()}")
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Whether each of its probes passes."""
        return all(map(self.passes, ("startupProbe", "livenessProbe", "readinessProbe")))

    def passes(self, probe: str) -> bool:
        """Ask as the kubelet does: at the pod's address, without a key."""
        [container] = self.spec["spec"]["containers"]
        asked = container[probe]["httpGet"]
        port = {each["name"]: each["containerPort"] for each in container["ports"]}[asked["port"]]
        return self.ask(f"{asked['path']}", port=port)[0] == 200

    def ask(self, path: str, *, port: int = 8317, key: str = "", body: Any = None) -> tuple[int, Any]:
        """Ask its API."""
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"expected {self.name} to run, but it ended: {self.log()}")
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        connection = http.client.HTTPConnection(self.ip, port, timeout=30)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request("GET" if sent is None else "POST", path, sent, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except OSError as error:  # it does not listen yet
            return 0, str(error)
        finally:
            connection.close()
        return answer.status, json.loads(text) if text.startswith("{") else text

    def run(self, *words: str) -> str:
        """Run a command in it, as ``kubectl exec`` does."""
        done = subprocess.run(
            [self.python, "-m", "tocsin_console", *words],
            env=self.variables,
            cwd=self.folder / "data",
            capture_output=True,
            text=True,
            check=False,
            **self._identity(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"tocsin {' '.join(words)}: {done.stderr}")
        return done.stdout

    def _identity(self) -> dict[str, Any]:
        return {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}

    def _running(self) -> "subprocess.Popen[bytes]":
        if self.process is None:
            raise RuntimeError(f"expected {self.name} to run: start it")
        return self.process

    def log(self) -> str:
        """Give what it wrote."""
        return (self.folder / "log").read_text(errors="replace")[-4000:]


@dataclass
class Machine:
    """Where the pods of one release run; a context manager that ends them all.

    Args:
        templates: The pods, by part.
        config_maps: The files of each.
        secrets: The Secrets' values, by name and key; of a Secret mounted as files, a folder.
        folder: For their files and volumes.
        user: Whom they run as, who then may write to their volumes alone; None: who runs this.
        python: The interpreter, which that user has to be able to run.
        names: Addresses by Service, for those that files name.
    """

    templates: Mapping[str, Object]
    config_maps: Mapping[str, Mapping[str, str]]
    secrets: Mapping[tuple[str, str], str]
    folder: Path
    user: int | None = None
    python: str = sys.executable
    names: Mapping[str, str] = field(default_factory=dict)
    pods: list[Pod] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill what still runs."""
        for pod in self.pods:
            if pod.process is not None:
                pod.process.kill()
                pod.process.wait()

    def pod(self, part: str, ordinal: int = 0) -> Pod:
        """Lay out a pod's files and give it, not yet started."""
        name = f"{part}-{ordinal}"
        folder = self.folder / name
        ip = f"127.0.{1 + len(self.pods)}.1"
        template = self.templates[part]
        places = {
            "/var/lib/tocsin": str(folder / "data"),
            "/etc/tocsin": str(folder / "etc"),
            _TMP: str(folder / "tmp"),
        }
        volumes = {each["name"]: each for each in template["spec"]["volumes"]}
        for each in template["spec"]["containers"][0]["volumeMounts"]:
            volume = volumes.get(each["name"], {})
            if "secret" in volume:
                places[each["mountPath"]] = self.secrets[volume["secret"]["secretName"], ""]
            elif each["mountPath"] != "/etc/tocsin":
                Path(places[each["mountPath"]]).mkdir(parents=True, exist_ok=True)
                if self.user is not None:
                    os.chown(places[each["mountPath"]], self.user, self.user)

        def here(text: str) -> str:
            for inside, outside in sorted(places.items(), reverse=True):
                text = text.replace(inside, outside)
            for service, address in self.names.items():
                text = text.replace(f"{service}:", f"{address}:")
            return text.replace("0.0.0.0:", f"{ip}:")

        files = {name: {key: here(text) for key, text in data.items()} for name, data in self.config_maps.items()}
        (folder / "etc").mkdir()
        mount(volumes["config"], files, folder / "etc")
        inside = environment(template, self.secrets, ip=ip)
        variables = {name: here(value) for name, value in inside.items()} | {"PATH": os.environ["PATH"]}
        pod = Pod(part, name, ip, template, folder, arguments(template, inside), variables, self.python, self.user)
        self.pods.append(pod)
        return pod


def environment(pod: Object, secrets: Mapping[tuple[str, str], str], *, ip: str) -> dict[str, str]:
    """Work a container's variables out, as the kubelet does."""
    found: dict[str, str] = {}
    for each in pod["spec"]["containers"][0].get("env", []):
        source = each.get("valueFrom", {})
        if reference := source.get("secretKeyRef"):
            found[each["name"]] = secrets[reference["name"], reference["key"]]
        elif source == {"fieldRef": {"fieldPath": "status.podIP"}}:
            found[each["name"]] = ip
        else:
            found[each["name"]] = each["value"]
    return found


def arguments(pod: Object, variables: Mapping[str, str]) -> list[str]:
    """Give a container's arguments with their $(NAME) filled in."""
    words: Sequence[str] = pod["spec"]["containers"][0]["args"]
    for name, value in variables.items():
        words = [word.replace(f"$({name})", value) for word in words]
    return list(words)


def mount(volume: Object, config_maps: Mapping[str, Mapping[str, str]], folder: Path) -> None:
    """Lay a volume of ConfigMaps out as the kubelet does: files in a hidden folder, links to their tops."""
    sources = volume["projected"]["sources"] if "projected" in volume else [{"configMap": volume["configMap"]}]
    hidden = folder / "..2026_03_02_12_00_00.1"
    for source in sources:
        asked = source["configMap"]
        files = config_maps[asked["name"]]
        items = asked.get("items") or [{"key": key, "path": key} for key in files]
        for item in items:
            path = hidden / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[item["key"]], encoding="utf-8")
    (folder / "..data").symlink_to(hidden.name)
    for top in hidden.iterdir():
        (folder / top.name).symlink_to(Path("..data") / top.name)

"""Real Alertmanagers on loopback, one or a cluster of replicas, from the binary that TOCSIN_ALERTMANAGER names.

Debian's build reads its templates from under /usr/share. Of a package that was unpacked and not installed (``apt-get download
prometheus-alertmanager``, ``dpkg -x``) that folder does not exist: a copy of the binary then looks into its working folder.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bench._clickhouse import free_ports

_TEMPLATES = "/usr/share/prometheus/alertmanager"
_PATIENCE_S = 60.0


def alertmanager_binary() -> Path | None:
    """Find one: as TOCSIN_ALERTMANAGER says, else on the PATH."""
    said = os.environ.get("TOCSIN_ALERTMANAGER")
    found = said or shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    return Path(found) if found else None


@dataclass(slots=True)
class Alertmanagers:
    """Replicas of one folder, all of one configuration; a context manager that ends them all."""

    binary: Path
    folder: Path
    config: Mapping[str, Any]
    replicas: int = 1
    _ports: Sequence[int] = ()
    _running: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Start all and wait until they answer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports = free_ports(2 * self.replicas)
        (self.folder / "config.yml").write_text(json.dumps(self.config), encoding="utf-8")
        self.binary = _runnable(self.binary, self.folder)
        try:
            for number in range(self.replicas):
                self._launch(number)
            for number in range(self.replicas):
                self._wait(number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Kill all."""
        for number in tuple(self._running):
            self.kill(number)

    @property
    def urls(self) -> tuple[str, ...]:
        """Every replica's address."""
        return tuple(f"http://127.0.0.1:{self._ports[2 * number]}" for number in range(self.replicas))

    def kill(self, number: int) -> None:
        """End one as a power cut does."""
        process = self._running.pop(number)
        process.kill()
        process.wait()

    def start(self, number: int) -> None:
        """Start one again and wait until it answers."""
        self._launch(number)
        self._wait(number)

    def alerts(self, number: int = 0) -> dict[str, dict[str, Any]]:
        """List what one replica knows and has not ended, by the rule."""
        return {each["labels"]["alertname"]: each for each in self.ask("/api/v2/alerts", number=number)}

    def ask(self, path: str, body: object = None, *, number: int = 0) -> Any:
        """Ask one replica, or tell it something."""
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self._ports[2 * number]}{path}"
        request = urllib.request.Request(url, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - an address of ours
            said = answer.read()
        return json.loads(said) if said.startswith((b"{", b"[")) else said

    def _launch(self, number: int) -> None:
        web, gossip = self._ports[2 * number : 2 * number + 2]
        home = self.folder / str(number)
        home.mkdir(exist_ok=True)
        peers = [f"--cluster.peer=127.0.0.1:{self._ports[2 * other + 1]}" for other in range(number)]
        with (home / "log").open("ab") as log:
            self._running[number] = subprocess.Popen(
                [
                    self.binary,
                    f"--config.file={self.folder / 'config.yml'}",
                    f"--storage.path={home / 'data'}",
                    f"--web.listen-address=127.0.0.1:{web}",
                    f"--cluster.listen-address=127.0.0.1:{gossip}"
                    if self.replicas > 1
                    else "--cluster.listen-address=",
                    "--cluster.settle-timeout=0s",
                    "--cluster.peer-timeout=1s",
                    *peers,
                ],
                cwd=_templates(self.binary.parent) or self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait(self, number: int) -> None:
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self.ask("/-/ready", number=number)
            except (OSError, urllib.error.HTTPError) as error:
                if self._running[number].poll() is not None or time.monotonic() > end:
                    said = (self.folder / str(number) / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"Alertmanager {number} does not answer ({error}): {said}") from error
                time.sleep(0.05)
            else:
                return


def _runnable(binary: Path, folder: Path) -> Path:
    """Give a binary that finds its templates: this one, or a copy that looks into its working folder."""
    unpacked = binary.parents[1] / _TEMPLATES.removeprefix("/usr/")
    text = binary.read_bytes()
    if _TEMPLATES.encode() not in text or Path(_TEMPLATES).is_dir() or not unpacked.is_dir():
        return binary
    copy = folder / "bin" / "alertmanager"
    shutil.copytree(unpacked, copy.parent)
    copy.write_bytes(text.replace(_TEMPLATES.encode(), b"./" * (len(_TEMPLATES) // 2)))
    copy.chmod(0o700)
    return copy


def _templates(folder: Path) -> Path | None:
    return folder if (folder / "default.tmpl").exists() else None

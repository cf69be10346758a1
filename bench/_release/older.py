"""The release before, built from the repository's history: what an upgrade starts from."""

import io
import json
import os
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from _release import building

COMMIT: Final = (
    "a19734750879c6355a1088f114fcda3393542405"  # what 0.1.0 was: before alerts reached people's tools and pages
)
VERSION: Final = "0.1.0"
_PORTS: Final = [w for one in ("grpc", "http", "api", "guard", "clickhouse-http") for w in (f"--{one}", "127.0.0.1:0")]
_BUILT_AT: Final = 1_764_466_775
_PATIENCE_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One tocsin that is installed: the interpreter that has it, and what must stand on its path."""

    name: str
    python: Path
    path: str = ""

    def environment(self) -> dict[str, str]:
        """What its processes find around them: nothing of the checkout."""
        own = {name: said for name, said in os.environ.items() if not name.startswith(("TOCSIN_", "OTEL_", "PYTHON"))}
        return {**own, "PYTHONPATH": self.path, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, script: Path, *words: str, cwd: Path, given: str = "") -> str:
        """Run a script of ours with it, and give what it printed.

        Raises:
            RuntimeError: it failed; its last words are in the message.
        """
        done = subprocess.run(
            [self.python, script, *words],
            cwd=cwd,
            env=self.environment(),
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
        if done.returncode:
            raise RuntimeError(f"tocsin {self.name}, {script.name}: {done.stderr[-2000:]}")
        return done.stdout

    @contextmanager
    def up(self, folder: Path, *options: str) -> Iterator["Up"]:
        """Run `tocsin up` over a folder until the block ends; its log is added to the folder's."""
        command = [self.python, "-m", "tocsin_console", "up", "--json", "--data-dir", "data", *_PORTS, *options]
        with (folder / "log").open("a") as log:
            process = subprocess.Popen(
                command, cwd=folder, env=self.environment(), stdout=subprocess.PIPE, stderr=log, text=True
            )
        try:
            yield Up(process=process, facts=_document(process), folder=folder)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE_S)
            if process.stdout:
                process.stdout.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """One that runs."""

    process: "subprocess.Popen[str]"
    facts: dict[str, Any]
    folder: Path


def _document(process: "subprocess.Popen[str]") -> dict[str, Any]:
    said = ""
    for line in process.stdout or ():
        said += line
        if line == "}\n":
            break
    found: dict[str, Any] = json.loads(said or "{}")
    return found


def unavailable() -> str:
    """Say why the release before cannot be built here; empty where it can."""
    try:
        building.git("cat-file", "-e", f"{COMMIT}^{{tree}}")
    except RuntimeError:
        return f"needs git and a checkout whose history has {COMMIT[:7]}"
    return ""


def wheel_of_before(into: Path) -> Path:
    """Build the wheel of the release before from its commit."""
    needed = (*building.PACKAGES, "deploy/grafana/dashboards", "pyproject.toml", "README.md", "LICENSE", ".gitignore")
    with tarfile.open(fileobj=io.BytesIO(building.git("archive", COMMIT, "--", *needed))) as archive:
        archive.extractall(into / "tree", filter="data")
    [wheel] = building.build(into / "tree", into / "wheel", "wheel", epoch=_BUILT_AT)
    return wheel

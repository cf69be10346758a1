"""The official Node client, from npm, where npm is to be had."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.console.clickhouse_http.conftest import Endpoint

SOURCES = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def node_folder() -> Path:
    """A folder with the client installed, kept between runs under the exact versions of package.json."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        pytest.skip("needs node and npm: the Node client was not tried")
    wanted = (SOURCES / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "tocsin-tests" / f"clickhouse-client-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not (folder / "node_modules" / "@clickhouse" / "client" / "package.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(wanted)
        command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install the Node client, which was not tried: {done.stderr.strip()[-200:]}")
    shutil.copy(SOURCES / "read.js", folder / "read.js")
    return folder


@pytest.mark.parametrize("compressed", ["true", "false"])
def test_the_node_client_reads(endpoint: Endpoint, node_folder: Path, compressed: str) -> None:
    """Documents, bound parameters, streams, errors and a ping."""
    done = subprocess.run(
        ["node", "read.js", endpoint.url, compressed],  # noqa: S607 - found above
        cwd=node_folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "json": [{"n": 0}, {"n": 1}, {"n": 2}],
        "bound": [{"text": "it's", "list": [1, 2]}],
        "rows": 200_000,
        "code": "47",
        "refused": "164",
        "alive": True,
    }

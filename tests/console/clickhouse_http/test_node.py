"""The official Node client, from npm, where npm is to be had."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.console.clickhouse_http.conftest import Endpoint
from tests.npm import installed

SOURCES = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def node_folder() -> Path:
    """A folder with the client installed, kept between runs under the exact versions of package.json."""
    return installed(SOURCES, name="clickhouse-client", proof="@clickhouse/client", what="the Node client")


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

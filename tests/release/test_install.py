"""The built wheel where nothing else is installed."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.instrumentation.conftest import collector

from _release import building, fresh

__all__ = ["collector"]

PYTHON = "python3.11"  # of a virtual environment's base, which has nothing of ours either
SERVER_ONLY = ("chdb", "clickhouse_connect", "pandas", "pyarrow", "numpy", "jinja2", "pydantic", "starlette")
LIMIT_MB = 50


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> fresh.Fresh:
    """Install the SDK alone, as the lock has it."""
    folder = tmp_path_factory.mktemp("sdk")
    [wheel] = building.build(building.ROOT, folder / "dist", "wheel", epoch=1_767_225_600)
    try:
        return fresh.install(PYTHON, wheel, folder / "fresh")
    except RuntimeError as error:
        if "ConnectionError" in str(error) or "NewConnection" in str(error):
            pytest.skip("needs the package registry to install into a fresh environment")
        raise


@pytest.mark.slow
def test_the_sdk_alone_is_small_and_brings_no_database(sdk: fresh.Fresh) -> None:
    """A service that only sends spans must not carry a ClickHouse engine of half a gigabyte."""
    probe = f"import importlib.util as u, tocsin; print([m for m in {SERVER_ONLY!r} if u.find_spec(m)])"

    said = subprocess.run(
        [sdk.python, "-c", probe], cwd=sdk.home, env=sdk.environment(), capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "[]"
    assert sdk.mb < LIMIT_MB
    assert fresh.leads_back(sdk) == []


@pytest.mark.slow
def test_what_an_index_shows_runs_with_the_sdk_alone(sdk: fresh.Fresh, collector: Any, tmp_path: Path) -> None:
    """The first thing that somebody pastes, in an empty folder of an empty home: its call arrives."""
    page = building.ROOT / "deploy" / "description.md"

    ran = fresh.run_page(page, sdk, tmp_path / "here", {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint})

    assert ran == 1
    assert [said["tocsin.use_case"] for said in collector.attributes()] == ["ticket-triage"]

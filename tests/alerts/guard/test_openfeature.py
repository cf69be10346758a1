"""OpenFeature's own SDKs read the guard, by flagd's provider in its in-process mode: what services in any language use."""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.event import EventDetails, ProviderEvent
from tests.alerts.guard.test_guard_server import make_row
from tests.npm import installed

from tocsin_alerts.guard_server import GuardServer

KEY = "tocsin.guard.digit-reader"
NODE = Path(__file__).parent / "node"
DEADLINE_S = 20.0


@pytest.fixture
def server() -> Iterator[GuardServer]:
    """The guard of one use case, tripped."""
    started = GuardServer("127.0.0.1:0")
    started.start()
    started.publish([make_row()], {"digit-reader": "2026-04-17T00:00:00+00:00"})
    yield started
    started.stop()


def provider(port: int, **options: Any) -> FlagdProvider:
    """Make the provider as flagd's pages say."""
    return FlagdProvider(
        host="127.0.0.1", port=port, resolver_type=ResolverType.IN_PROCESS, deadline_ms=10_000, **options
    )


@pytest.fixture
def client(server: GuardServer) -> Iterator[OpenFeatureClient]:
    """A client of OpenFeature's that has heard the guard."""
    api.set_provider_and_wait(provider(server.port))
    yield api.get_client()
    api.shutdown()


def test_openfeature_reads_the_state_and_why(client: OpenFeatureClient) -> None:
    """A service that has OpenFeature needs nothing of ours; and both sets of flagd's messages live in one process."""
    found = client.get_string_details(KEY, "nobody said")

    assert (found.value, found.variant, found.error_code) == ("fallback", "fallback", None)
    assert str(found.reason) == "STATIC"
    assert found.flag_metadata["cause"] == "accuracy-below-floor: upper 0.896 < floor 0.9"
    assert (found.flag_metadata["version"], found.flag_metadata["probe_share"]) == (3, 0.1)


def test_a_use_case_that_nobody_guards_gives_the_callers_default(client: OpenFeatureClient) -> None:
    """OpenFeature's contract: an unknown flag is no outage."""
    found = client.get_string_details("tocsin.guard.unheard-of", "normal")

    assert (found.value, str(found.error_code)) == ("normal", "FLAG_NOT_FOUND")


def test_a_flip_reaches_a_running_service(server: GuardServer, client: OpenFeatureClient) -> None:
    """Every state, in both directions, without a restart or a poll."""
    changed = threading.Condition()

    def wake(_: EventDetails) -> None:
        with changed:
            changed.notify_all()

    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, wake)
    for version, state in enumerate(("off", "verify", "normal", "fallback"), start=10):
        server.publish([make_row(state=state, version=version)], {})
        with changed:
            assert changed.wait_for(lambda state=state: client.get_string_value(KEY, "?") == state, DEADLINE_S), state


def test_a_selector_reads_the_project_of_that_name(server: GuardServer) -> None:
    """Two projects may name a use case alike; a provider shows no ingest key, but may select."""
    server.publish([make_row(), make_row(project="shop", state="off")], {})

    api.set_provider_and_wait(provider(server.port, selector="project=shop"), domain="shop")
    try:
        assert api.get_client("shop").get_string_value(KEY, "?") == "off"
    finally:
        api.shutdown()


@pytest.fixture(scope="module")
def node_folder() -> Path:
    """A folder with OpenFeature installed, kept between runs under the exact versions of package.json."""
    return installed(NODE, name="openfeature", proof="@openfeature/flagd-provider", what="OpenFeature of Node")


def test_openfeature_of_node_reads_it_and_hears_a_flip(server: GuardServer, node_folder: Path) -> None:
    """The point of the protocol: a service in another language falls back too."""
    with subprocess.Popen(
        ["node", "read.js", str(server.port), KEY],  # noqa: S607 - found above
        cwd=node_folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reading:
        assert reading.stdout is not None
        try:
            first = json.loads(reading.stdout.readline())
            server.publish([make_row(state="normal", version=4, cause="released")], {})
            second = json.loads(reading.stdout.readline())
        finally:
            reading.terminate()

    cause = "accuracy-below-floor: upper 0.896 < floor 0.9"
    assert first == {"value": "fallback", "variant": "fallback", "reason": "STATIC", "cause": cause}
    assert (second["value"], second["cause"]) == ("normal", "released")

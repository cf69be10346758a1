"""How long a flip of the guard takes to reach services that run: from the request that flips it to the state that is read.

Everything is real: `tocsin up` in a process of its own, its API, a service in another process that asks `tocsin.guard`, and
one that reads the same flag through OpenFeature, where that is installed. Both clocks are the machine's monotonic one.
"""

import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from _report import Figure
from _up import up

_FLIPS = 40
_STATES = ("fallback", "normal", "verify", "off")


def flip_figures() -> list[Figure]:
    """Flip a guard so many times and have each service say when it read the new state."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-guard-") as folder, _guarding(Path(folder)) as (api, guard):
        figures = _measured("flip", api, _service("tocsin", guard), goal="<= 1000")
        try:
            import openfeature.contrib.provider.flagd  # noqa: F401
        except ImportError:
            return figures
        return figures + _measured("openfeature_flip", api, _service("openfeature", guard), goal="")


def _measured(name: str, api: str, service: "subprocess.Popen[str]", goal: str) -> list[Figure]:
    taken_ms = []
    try:
        _read(service)  # it has heard the server
        for number in range(_FLIPS):
            state = _STATES[number % len(_STATES)]
            asked_ns = time.monotonic_ns()
            _flip(api, state)
            said = _read(service)
            while said["state"] != state:
                said = _read(service)
            taken_ms.append((said["at_ns"] - asked_ns) / 1e6)
    finally:
        service.terminate()
        service.wait()
    return [
        Figure(name=f"{name}_p50_ms", value=round(median(taken_ms), 2), unit="ms", goal=goal),
        Figure(name=f"{name}_max_ms", value=round(max(taken_ms), 2), unit="ms", goal=goal),
    ]


@contextmanager
def _guarding(folder: Path) -> Iterator[tuple[str, str]]:
    (folder / "use_cases").mkdir()
    (folder / "use_cases" / "triage.yaml").write_text("use_case: triage\n", encoding="utf-8")
    with up(folder) as running:
        yield running.facts["api"], running.facts["guard"]


def _flip(api: str, state: str) -> None:
    connection = http.client.HTTPConnection(api, timeout=30)
    body = json.dumps({"action": "set", "state": state, "actor": "bench", "cause": "bench"})
    connection.request("POST", "/api/guard/triage", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"expected the guard to be set, got {answer.status}: {answer.read().decode()}")
    answer.read()
    connection.close()


def _service(kind: str, guard: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, __file__, kind, guard], stdout=subprocess.PIPE, text=True)


def _read(service: "subprocess.Popen[str]") -> dict[str, Any]:
    assert service.stdout is not None  # noqa: S101 - for the type checker
    said: dict[str, Any] = json.loads(service.stdout.readline())
    return said


def _serve(kind: str, guard: str) -> None:
    """Read the guard without a pause, as a service under load does, and say each new state and when it was read."""
    state_of = _openfeature(guard) if kind == "openfeature" else _tocsin(guard)
    last = ""
    while True:
        state = state_of()
        if state != last:
            last = state
            sys.stdout.write(json.dumps({"state": state, "at_ns": time.monotonic_ns()}) + "\n")
            sys.stdout.flush()
        time.sleep(0.001)


def _tocsin(guard: str) -> Any:
    import tocsin

    tocsin.init(guard_endpoint=guard)
    found = tocsin.guard("triage")
    found.wait_until_heard(30)
    return lambda: found.state


def _openfeature(guard: str) -> Any:
    from openfeature import api
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.contrib.provider.flagd.config import ResolverType

    host, _, port = guard.rpartition(":")
    api.set_provider_and_wait(
        FlagdProvider(host=host, port=int(port), resolver_type=ResolverType.IN_PROCESS, deadline_ms=10_000)
    )
    client = api.get_client()
    return lambda: client.get_string_value("tocsin.guard.triage", "normal")


if __name__ == "__main__":
    _serve(*sys.argv[1:])

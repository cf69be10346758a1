"""Absence: switched off, without a collector, and on systems that lack what POSIX has."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tocsin_console.run_verb import environment

USES_EVERYTHING = """
import asyncio, os, sys, threading

import tocsin

tocsin.init()


@tocsin.observe("triage")
def plain(text):
    tocsin.current_call().set_input(length=len(text))
    tocsin.current_call().set_output(label="x", probabilities={"x": 0.9})
    tocsin.current_call().confidence = 0.9
    tocsin.current_call().set_cost(0.1)
    return text.upper()


@tocsin.observe("triage")
async def awaited(text):
    return text.upper()


@tocsin.observe("triage")
def streamed(text):
    yield from text


def everything():
    with tocsin.observe("triage") as call:
        call.set_output(label="x")
    with tocsin.guard("triage").route() as route:
        assert (route.state, route.ask_model, route.serve_model) == ("normal", True, True), route
    tocsin.record_outcome(call.handle or "t1.x", label="x")
    return plain("a"), asyncio.run(awaited("b")), list(streamed("cd")), tocsin.guard("triage").state
"""

AFTERWARDS = """
import numpy as np
from sklearn.linear_model import LogisticRegression
own = LogisticRegression.predict
for name in tocsin.__all__:
    if name.startswith("instrument_"):
        getattr(tocsin, name)()
said = everything()
assert said == ("A", "B", ["c", "d"], "normal"), said
assert tocsin.last_calls() == (), tocsin.last_calls()
inputs = np.array([[0.0], [1.0]])
assert LogisticRegression().fit(inputs, [0, 1]).predict(inputs).tolist() == [0, 1]
assert LogisticRegression.predict is own
assert tocsin.wrap(str.upper, "triage")("x") == "X"
assert asyncio.run(tocsin.wrap(awaited, "triage")("x")) == "X"
assert tocsin.observe("triage", fallback=lambda _: "hand")(lambda text: text)("model") == "model"
call = tocsin.current_call()
call.set_prompt("hello"); call.set_key("k"); call.set_tokens(1, 2); call.set_model("m", "1"); call.set_response_id("r")
assert call.handle == "", call.handle
assert tocsin.record_feedback("t1.x", "down") is False
assert tocsin.record_outcomes([{"handle": "t1.x", "label": "x"}], wait_s=0) == 0
assert tocsin.record_support_contact("t1.x", minutes=5) is False
found = tocsin.guard("triage", has_fallback=True, fail_mode="off")
assert (found.state, found.decide(0.1), found.last_decision, found.bar, found.reason) == (
    "normal", "answer", "answer", None, "default"), (found.state, found.decide(0.1), found.reason)
assert found.wait_for_probes(0.1) and not found.wait_until_heard(0.1)
for name in tocsin.__all__:
    if name.startswith("uninstrument_"):
        getattr(tocsin, name)()
assert [thread.name for thread in threading.enumerate()] == ["MainThread"], threading.enumerate()
sockets = [one for one in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{one}")
           and os.readlink(f"/proc/self/fd/{one}").startswith("socket:")]
assert sockets == [], sockets
loaded = {"grpc", "opentelemetry.sdk", "opentelemetry.exporter"} & set(sys.modules)
assert loaded == set(), loaded
assert tocsin.flush() is True
tocsin.shutdown()
"""


def run(code: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program with these variables beside the usual ones."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOCSIN_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=usual | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_switched_off_it_is_not_there(tmp_path: Path) -> None:
    """No thread, no socket, no patch, no exporter loaded; functions, guards and outcomes answer as if nothing were."""
    done = run(USES_EVERYTHING + AFTERWARDS, tmp_path, OTEL_SDK_DISABLED="true", TOCSIN_USE_CASE="triage")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_switched_off_zero_code_does_not_even_import_it(tmp_path: Path) -> None:
    """The switch is for whoever fears that instrumentation is the problem."""
    made = environment({}, os.environ) | {"OTEL_SDK_DISABLED": "TRUE"}

    done = run("import sys; print({'tocsin', 'opentelemetry'} & set(sys.modules))", tmp_path, **made)

    assert (done.returncode, done.stdout, done.stderr) == (0, "set()\n", "")


def test_a_missing_collector_and_guard_cost_one_line_in_a_whole_run(tmp_path: Path) -> None:
    """A service must be able to run for days without them, and nobody's log may fill up."""
    code = USES_EVERYTHING + (
        "until = __import__('time').monotonic() + 2.5\n"
        "pause = threading.Event()\n"
        "while __import__('time').monotonic() < until:\n"
        "    everything()\n"
        "    pause.wait(0.02)\n"
        "tocsin.flush(0.1)\n"
        "tocsin.shutdown(0.1)\n"
    )

    done = run(code, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", TOCSIN_GUARD_ENDPOINT="127.0.0.1:1")

    assert (done.returncode, done.stdout) == (0, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "the collector at" in done.stderr
    assert "127.0.0.1:1" in done.stderr


# What Windows has not; macOS has all of it but fdatasync and sched_getaffinity.
WITHOUT_POSIX = """
import asyncio  # which asks for sysconf from 3.13 on, where it was built on a system that has it
import os, signal, sys, threading
for name in ("fcntl", "resource", "pwd", "grp", "termios", "posix_ipc"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "register_at_fork", "getuid", "geteuid", "fdatasync", "sched_getaffinity", "uname",
             "chown", "getpgid", "killpg", "sysconf", "statvfs", "pread", "pwrite"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "pthread_sigmask", "pause", "setitimer"):
    if hasattr(signal, name):
        delattr(signal, name)
"""


def test_it_works_where_posix_is_absent(collector: Any, tmp_path: Path) -> None:
    """The base installs on Windows too: fork hooks, file locks and signals are asked for, never taken for granted."""
    code = (
        WITHOUT_POSIX
        + USES_EVERYTHING
        + "assert everything() == ('A', 'B', ['c', 'd'], 'normal')\nassert tocsin.flush(), tocsin.stats()\n"
        "assert tocsin.stats()['swallowed'] == 0, tocsin.stats()\n"
    )

    done = run(code, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, TOCSIN_GUARD_ENDPOINT="127.0.0.1:1")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(collector.spans) == 4
    assert len(collector.outcomes) == 1


def test_every_module_imports_where_posix_is_absent(tmp_path: Path) -> None:
    """Those too that only load when they are needed."""
    code = WITHOUT_POSIX + (
        "import importlib, pkgutil, tocsin\n"
        "for module in pkgutil.walk_packages(tocsin.__path__, 'tocsin.'):\n"
        "    try:\n"
        "        importlib.import_module(module.name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        assert not (error.name or 'fcntl').startswith(('tocsin', 'fcntl', 'resource', 'pwd', 'grp')), error\n"
    )

    done = run(code, tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

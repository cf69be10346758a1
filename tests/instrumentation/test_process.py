"""Whole processes: exit, signals, forks, and programs that never heard of tocsin."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tocsin_console.run_verb import bootstrap, environment

START = """
import os, signal, sys, threading, time
import tocsin
tocsin.init(endpoint=sys.argv[1], service_name="child")

@tocsin.observe("triage")
def triage(label):
    tocsin.current_call().set_output(label=label)
"""


def start(code: str, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Run a program that has started tocsin."""
    return subprocess.Popen(
        [sys.executable, "-c", START + code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )


def labels(collector: Any) -> list[str]:
    """The labels of the calls that arrived."""
    return sorted(attributes["tocsin.output.label"] for attributes in collector.attributes())


def test_an_ordinary_exit_sends_what_waits(collector: Any) -> None:
    """A batch job ends right after its last call; stock defaults would lose the tail."""
    child = start("for at in range(5_000): triage('x')\ntocsin.record_outcome('t1.x', label='y')", collector.endpoint)

    out, err = child.communicate(timeout=60)

    assert (child.returncode, out, err) == (0, "", "")
    assert len(collector.spans) == 5_000
    assert len(collector.outcomes) == 1


def test_sigterm_sends_what_waits_and_kills_as_it_would_have(collector: Any) -> None:
    """Every rolling deployment ends with SIGTERM; its exit status is the supervisor's to read."""
    child = start(
        "for at in range(5_000): triage('x')\nprint('ready', flush=True)\nthreading.Event().wait()", collector.endpoint
    )
    assert child.stdout is not None
    child.stdout.readline()

    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)

    assert child.returncode == -signal.SIGTERM
    assert len(collector.spans) == 5_000


BUSY = """
import mmap
if len(sys.argv) > 3:
    tocsin.shutdown()
    tocsin.init(endpoint=sys.argv[1], service_name="child", buffer_dir=sys.argv[3])
ended = mmap.mmap(os.open(sys.argv[2], os.O_RDWR), 8)
def run(at):
    while True:
        triage(str(at))
        if at % 2 == 0: ended[:] = at.to_bytes(8, "little")
        if at == 200: print("ready", flush=True)
        at += 2
threading.Thread(target=run, args=(1,), daemon=True).start()
run(0)
"""


@pytest.mark.parametrize("buffered", [False, True], ids=["in memory", "on disk"])
def test_sigterm_in_the_middle_of_a_call_loses_nothing_that_ended(
    collector: Any, tmp_path: Path, *, buffered: bool
) -> None:
    """Its handler runs between any two instructions of the main thread, also of those that hold what a flush needs."""
    last = tmp_path / "ended"
    last.write_bytes(bytes(8))
    child = start(BUSY, collector.endpoint, str(last), *([str(tmp_path)] if buffered else []))
    assert child.stdout is not None
    child.stdout.readline()

    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)

    # Where its time ran out, a request may have come twice, in the same bytes: a real collector knows it again.
    collector.requests = list({request.SerializeToString(): request for request in collector.requests}.values())
    arrived = [int(label) for label in labels(collector)]
    ended = range(0, int.from_bytes(last.read_bytes(), "little") + 1, 2)
    assert child.returncode == -signal.SIGTERM
    assert set(ended) - set(arrived) == set()
    assert len(arrived) == len(set(arrived))


def test_a_worker_that_multiprocessing_spawned_sends_what_waits_when_it_ends(collector: Any, tmp_path: Path) -> None:
    """It starts tocsin itself, in a process that runs finalizers of its own."""
    (tmp_path / "work.py").write_text(f"""
import multiprocessing, sys
import tocsin
def work(label):
    tocsin.init(endpoint={collector.endpoint!r}, service_name="child")
    with tocsin.observe("triage") as call:
        call.set_output(label=label)
if __name__ == "__main__":
    for method in ("spawn", "forkserver"):
        worker = multiprocessing.get_context(method).Process(target=work, args=(method,))
        worker.start(); worker.join()
""")

    subprocess.run([sys.executable, "work.py"], cwd=tmp_path, check=True, timeout=60)

    assert labels(collector) == ["forkserver", "spawn"]


def test_the_hosts_own_sigterm_handler_decides(collector: Any) -> None:
    """It is called, once, and whether to exit stays its choice; the exit it makes sends what waits."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, signal, sys\n"
            "def stop(number, frame):\n    os.write(1, b'stopping %d\\n' % number)\n    sys.exit(7)\n"
            "signal.signal(signal.SIGTERM, stop)\n" + START + "triage('x')\n"
            "print('ready', flush=True)\nthreading.Event().wait()",
            collector.endpoint,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    child.stdout.readline()

    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=60)

    assert (child.returncode, out) == (7, "stopping 15\n")
    assert labels(collector) == ["x"]


def test_an_ignored_sigterm_stays_ignored(collector: Any) -> None:
    """A host that ignores the signal has its reasons."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            + START
            + "print(signal.getsignal(signal.SIGTERM) is signal.SIG_IGN)",
            collector.endpoint,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )

    out, _ = child.communicate(timeout=60)

    assert out == "True\n"


def test_an_absent_collector_does_not_keep_a_process_from_ending() -> None:
    """Monitoring that is down may cost seconds at exit, not minutes."""
    child = start("triage('x')", "http://127.0.0.1:1")

    child.communicate(timeout=30)

    assert child.returncode == 0


@pytest.mark.parametrize("warm", [False, True], ids=["before the first span", "after it"])
def test_a_forked_worker_sends_its_own_calls_once(collector: Any, *, warm: bool) -> None:
    """Pre-forking servers load the application, and tocsin, in the parent."""
    code = f"""
if {warm}:
    triage("before"); assert tocsin.flush()
child = os.fork()
if child == 0:
    triage("child")
    ok = tocsin.flush()
    print("child", ok, tocsin.stats()["spans_exported"], flush=True)
    os._exit(0)
os.waitpid(child, 0)
triage("parent")
print("parent", tocsin.flush(), flush=True)
"""
    child = start(code, collector.endpoint)

    out, err = child.communicate(timeout=60)

    assert out == "child True 1\nparent True\n", err
    assert labels(collector) == (["before"] if warm else []) + ["child", "parent"]


def test_a_forked_worker_hears_the_guard_and_sends_outcomes(collector: Any, guard_server: Any) -> None:
    """The parent's stream and channel do not survive a fork; the child's own must take their place."""
    guard_server.say(triage="verify")
    code = """
guard = tocsin.guard("triage")
assert guard.wait_for_state("verify", 20)
tocsin.record_outcome("t1.parent", label="x"); assert tocsin.flush()
child = os.fork()
if child == 0:
    known = guard.state
    print("ready", known, flush=True)
    heard = guard.wait_for_state("off", 20)
    tocsin.record_outcome("t1.child", label="x")
    print(heard, tocsin.flush(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            START.replace("init(", f"init(guard_endpoint={guard_server.endpoint!r}, ") + code,
            collector.endpoint,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    ready = child.stdout.readline()
    guard_server.say(triage="off")

    out, _ = child.communicate(timeout=60)

    assert (ready, out) == ("ready verify\n", "True True\n")
    assert sorted(outcome.handle for outcome in collector.outcomes) == ["t1.child", "t1.parent"]


def test_multiprocessing_workers_send_what_waits_when_they_end(collector: Any) -> None:
    """They skip exit handlers and run finalizers of their own."""
    code = """
import multiprocessing
context = multiprocessing.get_context("fork")
worker = context.Process(target=triage, args=("worker",))
worker.start(); worker.join()
"""
    child = start(code, collector.endpoint)

    _, err = child.communicate(timeout=60)

    assert labels(collector) == ["worker"], err


SERVICE = """
import numpy as np
from sklearn.linear_model import LogisticRegression
inputs = np.array([[0.0], [1.0]])
print(LogisticRegression().fit(inputs, [0, 1]).predict(inputs).tolist())
"""


def test_a_program_that_never_heard_of_tocsin_is_instrumented(collector: Any, tmp_path: Path) -> None:
    """`tocsin run -- python service.py`, with the host's own sitecustomize still in force."""
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("print('the host was here')")
    base = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    made = environment({"use_case": "reader", "service_name": "service", "endpoint": collector.endpoint}, base)

    done = subprocess.run(
        [sys.executable, "service.py"], cwd=tmp_path, env=made, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "the host was here\n[0, 1]\n"
    assert done.stderr == ""
    assert labels(collector) == ["0", "1"]
    assert {attributes["tocsin.use_case"] for attributes in collector.attributes()} == {"reader"}


def test_zero_code_does_not_import_scikit_learn_for_programs_that_do_not(collector: Any) -> None:
    """Every Python child of the command starts it, pip and black included."""
    made = environment({"endpoint": collector.endpoint}, os.environ)
    code = "import sys; print([name for name in ('sklearn', 'numpy', 'grpc') if name in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", code], env=made, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\n"


def test_the_zero_code_environment_keeps_what_it_does_not_set() -> None:
    """The command runs in the user's environment, with one folder more in front."""
    made = environment({"use_case": "reader"}, {"PATH": "/bin", "PYTHONPATH": f"{bootstrap()}{os.pathsep}/own"})

    assert made == {
        "PATH": "/bin",
        "PYTHONPATH": f"{bootstrap()}{os.pathsep}/own",
        "TOCSIN_USE_CASE": "reader",
    }

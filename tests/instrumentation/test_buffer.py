"""The buffer on disk: what ended is in the kernel's hands, whatever becomes of its process."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest

import tocsin
from tocsin._sending.journal import Journal

START = """
import os, signal, sys, threading
import tocsin
tocsin.init(endpoint=sys.argv[1], service_name="child", buffer_dir=sys.argv[2])

@tocsin.observe("triage")
def triage(number):
    tocsin.current_call().set_output(label=str(number))
"""


def start(code: str, endpoint: str, folder: Path) -> subprocess.Popen[str]:
    """Run a program that has started tocsin with a buffer."""
    return subprocess.Popen(
        [sys.executable, "-c", START + code, endpoint, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def numbers(collector: Any) -> list[int]:
    """The calls that arrived, by number."""
    return sorted(int(attributes["tocsin.output.label"]) for attributes in collector.attributes())


def files(folder: Path) -> list[str]:
    """What lies in a buffer, but locks."""
    return sorted(path.name for path in folder.rglob("*.segment"))


NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "end",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "child = os.fork()\nif child == 0:\n    triage(200)\n    os._exit(0)\nos.waitpid(child, 0)\nos._exit(0)",
        "threading.Thread(target=triage, args=(200,)).run()\nos.abort()",
    ],
    ids=["os._exit", "kill -9", "fork and os._exit", "abort"],
)
def test_a_process_that_dies_at_once_loses_no_span_that_ended(collector: Any, tmp_path: Path, end: str) -> None:
    """No thread gets another turn and no handler runs; the next process sends what there was."""
    start(f"for at in range(200): triage(at)\n{end}", NOWHERE, tmp_path).communicate(timeout=60)

    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path))

    assert tocsin.flush() is True
    assert numbers(collector) == list(range(201 if "200" in end else 200))
    assert tocsin.stats()["spans_recovered"] == len(collector.spans)
    assert files(tmp_path) == []


def test_an_outcome_outlives_its_process_too(collector: Any, tmp_path: Path) -> None:
    """A lost outcome is a lost label."""
    start("tocsin.record_outcome('t1.x', label='y')\nos._exit(0)", NOWHERE, tmp_path).communicate(timeout=60)

    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path))

    assert tocsin.flush() is True
    assert [outcome.handle for outcome in collector.outcomes] == ["t1.x"]
    assert tocsin.stats()["outcomes_recovered"] == 1


def test_a_child_that_ends_by_os_exit_is_sent_by_its_parent(collector: Any, tmp_path: Path) -> None:
    """Pre-forking hosts end their children so; nobody need restart for their spans to arrive."""
    code = """
for at in range(5):
    if os.fork() == 0:
        triage(at)
        os._exit(0)
    os.wait()
triage(5)
print(tocsin.flush(), flush=True)
"""
    out, err = start(code, collector.endpoint, tmp_path).communicate(timeout=60)

    assert (out, err) == ("True\n", "")
    assert numbers(collector) == [0, 1, 2, 3, 4, 5]


def test_an_outage_with_restarts_in_it_loses_nothing(collector: Any, tmp_path: Path) -> None:
    """Whoever is there when the collector answers again sends what all before it left, each once."""
    collector.refuse_spans = [grpc.StatusCode.UNAVAILABLE] * 1_000
    for first in (0, 100, 200):
        code = f"for at in range({first}, {first} + 100): triage(at)\ntocsin.flush(0.3)"
        start(code, collector.endpoint, tmp_path).communicate(timeout=60)
    before = len(collector.spans)
    collector.refuse_spans = []

    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path))

    assert before == 0
    assert tocsin.flush() is True
    assert numbers(collector) == list(range(300))


def test_what_is_sent_again_is_the_same_bytes(collector: Any, tmp_path: Path) -> None:
    """A process dies between the collector's fsync and its reply: by the digest, the second copy is known as one."""
    collector.gate.clear()
    child = start(
        "for at in range(50): triage(at)\nprint('ready', flush=True)\nsignal.pause()", collector.endpoint, tmp_path
    )
    assert child.stdout is not None
    child.stdout.readline()
    assert collector.wait_for(lambda: collector.waiting > 0)
    child.kill()
    child.communicate()
    collector.gate.set()
    assert collector.wait_for(lambda: bool(collector.requests))

    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path))

    assert tocsin.flush() is True
    first, *again = [request.SerializeToString() for request in collector.requests]
    assert again[0] == first


def test_what_a_living_process_waits_to_send_is_left_to_it(collector: Any, tmp_path: Path) -> None:
    """Two workers share a folder; each span is sent by one of them."""
    child = start("triage(1)\nprint('ready', flush=True)\nsignal.pause()", NOWHERE, tmp_path)
    assert child.stdout is not None
    child.stdout.readline()

    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path))
    while_it_lives = (tocsin.flush(), numbers(collector))
    child.kill()
    child.communicate()

    assert while_it_lives == (True, [])
    assert (tocsin.flush(), numbers(collector)) == (True, [1])


def test_a_full_buffer_falls_back_to_memory(collector: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is the host's; what finds no room there waits as it would without a buffer."""
    monkeypatch.setenv("TOCSIN_BUFFER_BYTES", "20000")
    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path))
    collector.gate.clear()

    for _ in range(500):
        with tocsin.observe("triage") as call:
            call.set_output(label="x" * 100)
    used = sum(path.stat().st_size for path in tmp_path.rglob("*.segment"))
    collector.gate.set()

    assert 10_000 < used < 21_000
    assert tocsin.flush() is True
    assert len(collector.spans) == 500
    assert tocsin.stats()["dropped"] == 0


def test_a_folder_that_cannot_be_written_costs_nothing(collector: Any, tmp_path: Path) -> None:
    """A typing error in a path must not be the end of monitoring."""
    (tmp_path / "file").write_text("in the way")
    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path / "file"))

    with tocsin.observe("triage"):
        pass

    assert tocsin.flush() is True
    assert len(collector.spans) == 1
    assert tocsin.stats()["swallowed.buffer"] >= 1


def test_what_one_key_left_is_never_sent_under_another(collector: Any, tmp_path: Path) -> None:
    """The key says whose project it is."""
    start("triage(1)\nos._exit(0)", NOWHERE, tmp_path).communicate(timeout=60)

    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path), headers={"x-tocsin-key": "another"})

    assert (tocsin.flush(), collector.spans) == (True, [])
    assert len(files(tmp_path)) == 1


def test_a_key_that_is_refused_costs_no_span(collector: Any, tmp_path: Path) -> None:
    """What is safe on disk can wait until somebody has mended the key."""
    collector.refuse_spans = [grpc.StatusCode.UNAUTHENTICATED]
    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path))

    with tocsin.observe("triage"):
        pass

    assert tocsin.flush(20) is True
    assert len(collector.spans) == 1


def test_a_fork_beside_a_busy_thread_leaves_both_sides_whole(collector: Any, tmp_path: Path) -> None:
    """A copy of a process with a request under way could never finish it, nor begin another."""
    code = """
done = threading.Event()
def busy():
    at = 1_000_000
    while not done.wait(0.001):
        triage(at); at += 1
thread = threading.Thread(target=busy); thread.start()
children = []
for child in range(10):
    pid = os.fork()
    if pid == 0:
        for at in range(10): triage(child * 10 + at)
        os._exit(0 if tocsin.flush() else 1)
    children.append(pid)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
done.set(); thread.join()
print(set(codes), tocsin.flush(), tocsin.stats()["spans_ended"], flush=True)
"""
    out, err = start(code, collector.endpoint, tmp_path).communicate(timeout=60)

    said, ended = out.rsplit(" ", 1)
    arrived = numbers(collector)
    assert said == "{0} True", err
    assert arrived[:100] == list(range(100))
    assert len(arrived) == len(set(arrived)) == 100 + int(ended)


def test_a_finalizer_may_end_a_span_in_the_middle_of_another_one_s_writing(tmp_path: Path) -> None:
    """The garbage collector ends an abandoned stream on whichever thread it runs: that thread must not wait for itself."""
    journal = Journal(tmp_path, "spans", most_bytes=1 << 20)
    inner: list[bool] = []

    class Collected(list[Any]):
        def __len__(self) -> int:
            if not inner:
                inner.append(True)
                inner[0] = journal.append([])
            return super().__len__()

    writing = threading.Thread(target=lambda: journal.append(Collected()), daemon=True)
    writing.start()
    writing.join(10)

    assert not writing.is_alive()
    assert inner == [False], "it waits in memory instead"

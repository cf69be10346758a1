"""What may hang, spin or eat memory is killed, and nobody waits for it."""

import os
import resource
import sys
from pathlib import Path

import pytest

from tocsin_alerts.errors import TemplateError
from tocsin_alerts.killable import KillableProcess
from tocsin_alerts.render import Templates
from tocsin_alerts.sample_views import FIRING

_BEGIN = "from tocsin_alerts.killable import serve\n"
ECHO = _BEGIN + "serve(lambda asked: asked)"
SPINS = _BEGIN + "def spin(asked):\n    while asked == b'spin': pass\n    return asked\nserve(spin)"
HANGS = _BEGIN + "import time\nserve(lambda asked: time.sleep(3600))"
EATS = _BEGIN + (
    "def eat(asked):\n    try:\n        return bytes(1 << 30)[:1]\n    except MemoryError:\n        return b'full'\n"
    "serve(eat, memory_bytes=64 << 20)"
)
LONG_S = 120.0  # for a busy machine; nothing waits that long


def made(script: str) -> KillableProcess:
    """A process that runs a script."""
    return KillableProcess((sys.executable, "-c", script))


def test_it_answers_large_questions_and_stays() -> None:
    """Starting one takes a second, so one does for many."""
    process, question = made(ECHO), b"x" * 300_000

    first = process.ask(question, time_s=LONG_S)
    before = process.pid
    second = process.ask(b"", time_s=LONG_S)

    assert (first, second) == (question, b"")
    assert process.pid == before
    process.close()
    assert process.pid is None


def test_it_is_killed_for_its_work_and_answers_the_next() -> None:
    """The measure is its own work: on a busy machine honest work takes long, too."""
    process = made(SPINS)

    with pytest.raises(TimeoutError):
        process.ask(b"spin", time_s=LONG_S, cpu_s=0.2)

    assert process.pid is None
    assert process.ask(b"work", time_s=LONG_S, cpu_s=LONG_S) == b"work"
    process.close()


def test_one_that_hangs_is_killed() -> None:
    """It works on nothing."""
    process = made(HANGS)

    with pytest.raises(TimeoutError):
        process.ask(b"", time_s=0.1, start_s=LONG_S, cpu_s=LONG_S)

    assert process.pid is None


def test_it_answers_where_more_than_a_thousand_files_are_open() -> None:
    """A collector with many connections sends its pages all the same."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 1_400
    if soft != resource.RLIM_INFINITY and soft < most:
        if hard != resource.RLIM_INFINITY and hard < most:
            pytest.skip(f"needs {most} open files, this machine allows {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    files = [os.open(os.devnull, os.O_RDONLY)]
    while files[-1] < 1_030:
        files.append(os.dup(files[0]))
    process = made(ECHO)

    try:
        assert process.ask(b"page", time_s=LONG_S) == b"page"
    finally:
        process.close()
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_memory_has_an_end() -> None:
    """A machine without memory sends no pages."""
    process = made(EATS)

    assert process.ask(b"", time_s=LONG_S) == b"full"
    process.close()


def test_one_that_leaves_each_time_is_started_twice_and_no_more() -> None:
    """A process that cannot stay is broken, and a message does not wait for it."""
    process = made("raise SystemExit(1)")

    with pytest.raises(ChildProcessError):
        process.ask(b"", time_s=LONG_S)


def test_a_teams_templates_say_the_same_in_a_process_of_their_own(tmp_path: Path) -> None:
    """And so do its mistakes, with file and line."""
    (tmp_path / "firing.txt.j2").write_text("{{ use_case }} is at {{ quality.value|pct }}\n")
    (tmp_path / "updated.txt.j2").write_text("\n{{ nothing_such }}")
    (tmp_path / "resolved.txt.j2").write_text(
        "{% for i in range(999) %}{% for i in range(999) %}{% endfor %}{% endfor %}"
    )
    apart, here = Templates(tmp_path, apart=True), Templates(tmp_path)

    message = apart.compose(FIRING, chat=False)
    with pytest.raises(TemplateError) as mistake:
        apart.render("updated.txt.j2", FIRING)
    with pytest.raises(TemplateError, match="too many turns"):
        apart.render("resolved.txt.j2", FIRING)

    apart.close()
    assert message == here.compose(FIRING, chat=False)
    assert message.text == "digit-reader is at 88.3 %\n"
    assert (mistake.value.findings[0].path, mistake.value.findings[0].line) == (str(tmp_path / "updated.txt.j2"), 2)

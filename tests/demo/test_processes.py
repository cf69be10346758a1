"""The demo's children: they must never outlive it, and their last words must be found."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tocsin_console.demo.processes import Child

ECHO = "import sys; print(sys.stdin.readline().upper(), end=''); sys.stderr.write('last words\\n')"
DEAF = "import sys, signal; print('up', flush=True); signal.pause()"


def test_a_child_is_talked_to_and_listened_to(tmp_path: Path) -> None:
    """The service is told where tocsin listens, and says what each day came to."""
    with Child([sys.executable, "-c", ECHO], log=tmp_path / "log", cwd=tmp_path, environment={}, talks=True) as child:
        child.say("hello")

        assert list(child.lines()) == ["HELLO\n"]
        assert child.wait(30) == 0
        assert child.tail() == "last words"


def test_a_child_ends_with_the_demo(tmp_path: Path) -> None:
    """Whatever happens inside the block, the process is gone after it."""
    child = Child([sys.executable, "-c", DEAF], log=tmp_path / "log", cwd=tmp_path, environment={}, talks=True)

    def fail_inside() -> None:
        with child:
            assert next(child.lines()) == "up\n"
            raise KeyError("something went wrong")

    with pytest.raises(KeyError):
        fail_inside()

    assert child.exit_code is not None


def test_talking_to_a_dead_child_raises_nothing(tmp_path: Path) -> None:
    """Its exit code and its log say more than a broken pipe."""
    with Child([sys.executable, "-c", ""], log=tmp_path / "log", cwd=tmp_path, environment={}, talks=True) as child:
        child.wait(30)
        child.say("anybody?")
        child.say("anybody?")

        assert child.exit_code == 0


def test_the_service_refuses_to_go_on_without_tocsin(tmp_path: Path) -> None:
    """A service that replays history must not run ahead of whoever judges it: it ends and says so."""
    where = json.dumps({"grpc": "127.0.0.1:1", "guard": "127.0.0.1:1"})
    options = ["--seed", "1", "--decay-days", "0", "--recovery-days", "1", "--patience-s", "0.2"]
    done = subprocess.run(
        [sys.executable, "-m", "tocsin_console.demo.service", *options],
        cwd=tmp_path,
        input=where + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    assert done.returncode == 1
    assert "expected tocsin to" in done.stderr

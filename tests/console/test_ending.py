"""What hangs cannot keep a process: one that neither works nor ends is an evaluator that nobody starts anew."""

import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tocsin_collector.store.lease import TTL_S, Holder, Lease
from tocsin_console.apart import EvaluatorAlone
from tocsin_console.config import Config
from tocsin_console.ending import latest_end
from tocsin_console.process import RoleProcess, now
from tocsin_console.tenure import LOST

_PATIENCE_S = 60.0
_HANGS = """
import threading
from tocsin_console.ending import latest_end

hangs = threading.Event()

def hang():
    hangs.set()
    threading.Event().wait()

threading.Thread(target=hang, name="tocsin-hung").start()
hangs.wait()
latest_end(0.0)()
"""


class OneClaim:
    """A place for claims in which nobody is before this process."""

    def last(self) -> Holder | None:
        """Nobody's."""
        return None

    def claim(self, epoch: int, *, holder: str, address: str) -> Holder | None:
        """Take it."""
        return Holder(epoch=epoch, holder=holder, address=address, asked_at=now(), beat=now(), age_s=0.0)

    def renew(self, held: Holder, *, released: bool = False) -> None:
        """Wait for the store, for ever: not called here."""
        raise AssertionError((held, released))


def test_a_thread_that_hangs_is_named_and_left_behind() -> None:
    """Python waits at its end for threads that are none of its own; who restarts the process has to see where it hung."""
    process = subprocess.run(
        [sys.executable, "-c", _HANGS], stderr=subprocess.PIPE, text=True, check=False, timeout=_PATIENCE_S
    )

    assert process.returncode == 3
    assert "tocsin-hung (is waited for)" in process.stderr
    assert "in hang\n" in process.stderr


def test_a_log_that_hangs_does_not_keep_it_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full pipe that nobody reads stops whoever writes to it."""
    left, never = threading.Event(), threading.Event()
    monkeypatch.setattr("tocsin_console.ending._log", SimpleNamespace(error=lambda *_: never.wait()))
    monkeypatch.setattr("tocsin_console.ending._SAY_S", 0.01)

    latest_end(0.0, leave=lambda _code: left.set())()

    assert left.wait(_PATIENCE_S)
    never.set()


def test_an_evaluator_whose_renewal_hangs_ends_once_its_lease_has_run_out(config: Config) -> None:
    """The loop that would say so waits for an answer of the store: the clock says it first."""
    clock = [0.0]
    lease = Lease(OneClaim(), holder="this", address="", elapsed=lambda: clock[0])
    part: RoleProcess = EvaluatorAlone(config)
    cast(Any, part)._tenure = SimpleNamespace(lease=lease)

    said = [part.must_end()]
    lease.take()
    said.append(part.must_end())
    clock[0] = TTL_S
    said.append(part.must_end())

    assert said == ["", "", LOST]

"""Draws charts in a process of its own, within a time. A chart that is late is no chart, and its process is killed."""

import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Literal, TypeAlias

from tocsin_alerts.charts.quality import chart_of

Kind: TypeAlias = Literal["png", "svg"]
Draw: TypeAlias = Callable[[Mapping[str, Any], Kind], bytes | None]

WORKER: Final = (sys.executable, "-m", "tocsin_alerts.charts.worker")
_TIME_S: Final = 3.0  # of a message; a process that draws already takes 0.1 s, a new one 1 s
_KEPT: Final = 16
_MOST_BYTES: Final = 4 << 20


def can_draw() -> bool:
    """Whether what draws is installed: ``tocsin[charts]``."""
    return all(find_spec(name) for name in ("altair", "vl_convert"))


def no_chart(_data: Mapping[str, Any], _kind: Kind) -> bytes | None:
    """Draw nothing, as without ``tocsin[charts]``."""
    return None


class Drawer:
    """Draws what messages say, one chart at a time, for any thread.

    Args:
        command: Starts the process that draws.
        time_s: For one chart, waiting for others and starting the process included.
    """

    def __init__(self, command: Sequence[str] = WORKER, *, time_s: float = _TIME_S) -> None:
        self._command = command
        self._time_s = time_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def __call__(self, data: Mapping[str, Any], kind: Kind) -> bytes | None:
        """Draw a message's data as an image; None when there is nothing to draw, or it cannot be drawn in time."""
        chart = chart_of(data)
        if chart is None:
            return None
        asked = json.dumps({"kind": kind, "chart": chart}, ensure_ascii=True)
        deadline = time.monotonic() + self._time_s
        if not self._lock.acquire(timeout=self._time_s):
            return None
        try:
            if asked not in self._kept and (drawn := self._drawn(asked, deadline)):
                self._kept[asked] = drawn
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept.get(asked)
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _drawn(self, asked: str, deadline: float) -> bytes:
        for _ in range(2):  # one that has just ended, for want of work, is started again
            process = self._started()
            try:
                return _ask(process, asked, deadline)
            except TimeoutError:
                self._end()
                return b""
            except (OSError, ValueError):
                self._end()
        return b""

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _ask(process: subprocess.Popen[bytes], asked: str, deadline: float) -> bytes:
    """Ask for one image.

    Raises:
        TimeoutError: it took too long.
        OSError, ValueError: the process has ended, or answers what is no image.
    """
    assert process.stdin  # noqa: S101 - it was started with pipes
    assert process.stdout  # noqa: S101
    process.stdin.write(asked.encode() + b"\n")  # at most some ten KB, which a pipe holds
    size = struct.unpack(">I", _read(process.stdout.fileno(), 4, deadline))[0]
    if size > _MOST_BYTES:
        raise ValueError(f"expected an image of at most {_MOST_BYTES} bytes, got one of {size}")
    return _read(process.stdout.fileno(), size, deadline)


def _read(file: int, size: int, deadline: float) -> bytes:
    read = bytearray()
    while len(read) < size:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([file], [], [], left)[0]:
            raise TimeoutError
        part = os.read(file, size - len(read))
        if not part:
            raise BrokenPipeError
        read += part
    return bytes(read)

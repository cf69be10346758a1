"""A process for work that may hang, spin or eat memory: it is asked over pipes, and killed when it takes too much.

Both ends are here: :class:`KillableProcess` asks, :func:`serve` answers. Neither end unpacks anything but bytes.
"""

import contextlib
import math
import os
import resource
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_IDLE_S: Final = 120.0
_MOST_BYTES: Final = 8 << 20
_LOOK_S: Final = 0.05  # how often its use of the processor is looked at
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class KillableProcess:
    """One process, started when it is asked, again when it has ended. Not for several threads at once.

    Args:
        command: Starts it.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its number while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def ask(self, request: bytes, *, time_s: float, start_s: float = 0.0, cpu_s: float | None = None) -> bytes:
        """Send a request and give the answer.

        Args:
            request: At most some MB.
            time_s: For the answer, by the clock on the wall.
            start_s: For its start, where it has to be started, beyond that.
            cpu_s: For the answer, of its own work; None: as much as it can in that time.

        Raises:
            TimeoutError: it took too much, and was killed.
            ChildProcessError: it has ended instead, or answers what is no answer.
        """
        for attempt in range(2):  # one that ends just now, for want of work, is started again
            deadline = time.monotonic() + time_s + (0.0 if self.pid else start_s)
            try:
                process = self._started(deadline)
                deadline = min(deadline, time.monotonic() + time_s)
                limit = None if cpu_s is None else _cpu_s(process.pid) + cpu_s
                _write(process, struct.pack(">I", len(request)) + request, deadline)
                return _frame(process, deadline, limit)
            except TimeoutError:
                self.close()
                raise
            except OSError as error:
                self.close()
                if attempt:
                    raise ChildProcessError(f"{self._command[-1]} has ended: {error}") from error
        raise ChildProcessError  # not reached: the second attempt raises

    def close(self) -> None:
        """Kill it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _started(self, deadline: float) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        process = self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        assert process.stdin  # noqa: S101 - it has pipes
        os.set_blocking(process.stdin.fileno(), False)
        _frame(process, deadline, None)  # an empty one, when it is ready
        return process


def serve(answer: Callable[[bytes], bytes], *, memory_bytes: int | None = None, idle_s: float = _IDLE_S) -> None:
    """Answer requests from standard input until it ends, or nobody asks for a while.

    Args:
        answer: What to say to a request; must not raise.
        memory_bytes: That it may take beyond what it has by now.
        idle_s: So long.
    """
    if memory_bytes is not None:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    ask, said = sys.stdin.buffer, sys.stdout.buffer
    _say(said.fileno(), b"")
    while _is_ready(ask.fileno(), select.POLLIN, idle_s):
        size = ask.read(4)
        if len(size) < 4:
            return
        _say(said.fileno(), answer(ask.read(struct.unpack(">I", size)[0])))


def _is_ready(file: int, event: int, time_s: float) -> bool:
    """Wait for a pipe. By poll: select knows no file beyond the first 1,024, and a collector with many connections has them."""
    poll = select.poll()
    poll.register(file, event)
    return bool(poll.poll(math.ceil(max(0.0, time_s) * 1_000)))


def _say(file: int, answer: bytes) -> None:
    left = memoryview(struct.pack(">I", len(answer)) + answer)
    while left:
        left = left[os.write(file, left) :]


def _write(process: subprocess.Popen[bytes], request: bytes, deadline: float) -> None:
    assert process.stdin  # noqa: S101 - it has pipes
    left = memoryview(request)
    while left:
        if not _is_ready(process.stdin.fileno(), select.POLLOUT, deadline - time.monotonic()):
            raise TimeoutError
        left = left[os.write(process.stdin.fileno(), left) :]


def _frame(process: subprocess.Popen[bytes], deadline: float, limit: float | None) -> bytes:
    size = struct.unpack(">I", _read(process, 4, deadline, limit))[0]
    if size > _MOST_BYTES:
        raise BrokenPipeError(f"expected an answer of at most {_MOST_BYTES} bytes, got one of {size}")
    return _read(process, size, deadline, limit)


def _read(process: subprocess.Popen[bytes], size: int, deadline: float, limit: float | None) -> bytes:
    assert process.stdout  # noqa: S101 - it has pipes
    file, read = process.stdout.fileno(), bytearray()
    while len(read) < size:
        left = deadline - time.monotonic()
        if left <= 0 or (limit is not None and _cpu_s(process.pid) > limit):
            raise TimeoutError
        if _is_ready(file, select.POLLIN, left if limit is None else min(left, _LOOK_S)):
            part = os.read(file, size - len(read))
            if not part:
                raise BrokenPipeError("its answer ends too soon")
            read += part
    return bytes(read)


def _cpu_s(pid: int) -> float:
    """Read how long a process has worked."""
    said = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / _TICKS

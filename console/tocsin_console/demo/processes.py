"""The processes that the demo starts: each is ended by the demo, whatever happens, and its log is shown when it fails."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_END_S = 15.0  # for a clean end, before it is killed
_TAIL_LINES = 25


class Child:
    """One process with its own log file; a context manager that ends it by its id."""

    def __init__(
        self, command: Sequence[str], *, log: Path, cwd: Path, environment: Mapping[str, str], talks: bool = False
    ) -> None:
        self.log = log
        self._command = list(command)
        self._cwd = cwd
        self._environment = {**os.environ, **environment}
        self._talks = talks
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        with self.log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._environment,
                stdin=subprocess.PIPE if self._talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if self._talks else log,
                stderr=log,
                text=True,
                # Ctrl-C at the terminal reaches the demo alone, which then ends its children in order.
                start_new_session=True,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        process = self._started
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    @property
    def exit_code(self) -> int | None:
        """The code it ended with; None while it runs."""
        return self._started.poll()

    def say(self, line: str) -> None:
        """Write one line to its standard input; it may have ended already, which its exit code says."""
        stdin = self._started.stdin
        if stdin is None:
            raise RuntimeError("expected a child that can be talked to: start it with talks=True")
        with suppress(BrokenPipeError):
            stdin.write(line + "\n")
            stdin.flush()

    def lines(self) -> Iterator[str]:
        """Yield what it prints, line by line, until it ends."""
        stdout = self._started.stdout
        if stdout is None:
            raise RuntimeError("expected a child that can be listened to: start it with talks=True")
        yield from stdout

    def wait(self, timeout_s: float) -> int:
        """Wait for its end."""
        return self._started.wait(timeout_s)

    def tail(self) -> str:
        """The last lines of its log."""
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:])
        except OSError:
            return ""

    @property
    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("expected a started child: use it as a context manager")
        return self._process

"""What a process uses, read from /proc."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MERGING = "MergeMutate"  # ClickHouse's name for the threads that merge, embedded and server


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """CPU seconds in user and kernel."""

    total_s: float
    merging_s: float  # of the threads that merge parts in the background

    def since(self, before: "Cpu") -> "Cpu":
        """Subtract an earlier reading."""
        return Cpu(total_s=self.total_s - before.total_s, merging_s=self.merging_s - before.merging_s)


def cpu(pids: Sequence[int]) -> Cpu:
    """Read what processes have used since they began."""
    total = merging = 0.0
    for pid in pids:
        process = Path(f"/proc/{pid}")
        total += _used(process / "stat")[1]
        for thread in (process / "task").iterdir():
            try:
                name, used_s = _used(thread / "stat")
            except OSError:  # it ended
                continue
            merging += used_s if name == _MERGING else 0.0
    return Cpu(total_s=total, merging_s=merging)


def _used(stat: Path) -> tuple[str, float]:
    before, _, after = stat.read_text(encoding="ascii", errors="replace").rpartition(")")
    fields = after.split()
    return before.partition("(")[2], (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def rss_mb(pid: int) -> float:
    """Read the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6


class Peak:
    """The largest resident memory of a process, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak_mb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Stop looking, and say what was the largest."""
        self._ended.set()
        self._thread.join()
        return self._peak_mb

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            self._peak_mb = max(self._peak_mb, rss_mb(self._pid))

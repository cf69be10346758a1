"""Draws charts in a process of its own, within a time. A chart that is late is no chart, and its process is killed."""

import json
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Literal, TypeAlias

from tocsin_alerts.charts.quality import chart_of
from tocsin_alerts.killable import KillableProcess

Kind: TypeAlias = Literal["png", "svg"]
Draw: TypeAlias = Callable[[Mapping[str, Any], Kind], bytes | None]

WORKER: Final = (sys.executable, "-m", "tocsin_alerts.charts.worker")
_TIME_S: Final = 3.0  # of a message; a process that draws already takes 0.1 s, a new one 1 s
_KEPT: Final = 16


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
        kept: How many drawings are kept.
    """

    def __init__(self, command: Sequence[str] = WORKER, *, time_s: float = _TIME_S, kept: int = _KEPT) -> None:
        self._process = KillableProcess(command)
        self._time_s = time_s
        self._most_kept = kept
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def __call__(self, data: Mapping[str, Any], kind: Kind) -> bytes | None:
        """Draw a message's data as an image; None when there is nothing to draw, or it cannot be drawn in time."""
        chart = chart_of(data)
        return self.draw(chart, kind) if chart is not None else None

    def draw(self, chart: Mapping[str, Any], kind: Kind) -> bytes | None:
        """Draw a chart, or a figure as :func:`~tocsin_alerts.charts.figure.figure` has it; None when it is late."""
        asked = json.dumps({"kind": kind, "chart": chart}, ensure_ascii=True)
        deadline = time.monotonic() + self._time_s
        if not self._lock.acquire(timeout=self._time_s):
            return None
        try:
            if asked not in self._kept and (drawn := self._drawn(asked, deadline)):
                self._kept[asked] = drawn
                while len(self._kept) > self._most_kept:
                    self._kept.popitem(last=False)
            return self._kept.get(asked)
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._process.close()

    def _drawn(self, asked: str, deadline: float) -> bytes:
        try:
            return self._process.ask(asked.encode(), time_s=max(0.0, deadline - time.monotonic()))
        except (TimeoutError, OSError):
            return b""

"""Bills that were written are kept for a while: each reads every call of its days."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tocsin_console.cost.desk import CostDesk

CHEAP_CALLS: Final = 300_000  # as many are read in a few hundredths of a second: then nobody has to ask for the bill
_KEEP_S: Final = 600.0
_MOST_KEPT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBills:
    """The bills of a desk, each written at most every ten minutes.

    Args:
        desk: Writes them.
        clock_s: Counts seconds.
    """

    desk: CostDesk
    clock_s: Callable[[], float] = time.monotonic
    _kept: dict[tuple[str, str, int], tuple[float, dict[str, Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def bill(self, project: str, use_case: str, *, days: int, calls: int, is_asked: bool) -> dict[str, Any] | None:
        """Give the bill of a use case as ``tocsin cost`` shows it; None where it would take long and nobody asked for it.

        Args:
            project: Its project.
            use_case: Its name.
            days: How far back.
            calls: How many calls it has to read.
            is_asked: Write it however many they are.

        Raises:
            UsageProblem: the days are none.
        """
        key = (project, use_case, days)
        with self._lock:
            known = self._kept.get(key)
        if known and known[0] > self.clock_s():
            return known[1]
        if calls > CHEAP_CALLS and not is_asked:
            return None
        written = self.desk.bills(project, use_case, days=days)
        made = {**written["bills"][0], "since": written["since"], "until": written["until"]}
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = (self.clock_s() + _KEEP_S, made)
        return made

"""Looks at the disk every half minute, and says once when it fills and once when it is well again."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tocsin_collector.privacy.disk_use import DiskUse, drop, look
from tocsin_collector.store.database import Database

PERIOD_S = 30.0
_log = logging.getLogger(__name__)


class DiskWatch:
    """The last look, for status and metrics; a fresh one for whoever asks."""

    def __init__(
        self,
        store: Database,
        folder: Path,
        *,
        limit_bytes: int | None,
        is_embedded: bool = True,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._is_embedded = is_embedded
        self._now = now
        self._one_at_a_time = threading.Lock()
        self._warned = ""
        self._last: DiskUse | None = None

    def turn(self) -> None:
        """Look, and warn when that is new."""
        use = self.look()
        said = use.sentence()
        if said and not self._warned:
            _log.warning("%s", said)
        elif self._warned and not said:
            _log.info("there is room on the disk again")
        self._warned = said

    def look(self) -> DiskUse:
        """Look now."""
        with self._one_at_a_time:
            self._last = look(self._store, self._folder, limit_bytes=self._limit_bytes, is_embedded=self._is_embedded)
            return self._last

    def drop(self, *, by: str) -> DiskUse:
        """Drop what is proposed now, and say what was."""
        use = self.look()
        with self._one_at_a_time:
            drop(self._store, use.would_drop, by=by, now=self._now())
        return use

    def summary(self) -> Mapping[str, Any]:
        """Say what the last look found, without the partitions."""
        use = self._last
        if use is None:
            return {"used_bytes": None, "limit_bytes": self._limit_bytes, "warning": ""}
        return {"used_bytes": use.used_bytes, "limit_bytes": use.limit_bytes, "warning": use.sentence()}

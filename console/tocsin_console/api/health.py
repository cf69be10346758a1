"""Whether this tocsin can do its work now, and what keeps it from it."""

import os
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tocsin_console.loop import LoopStats
from tocsin_console.parts import Parts
from tocsin_wire import TocsinError

LOADER_STUCK_S: Final = 120.0  # something waits in the spool, and nothing older than this has come through
LOOP_STUCK_S: Final = 300.0  # beyond its period
LOOP_FAILURES: Final = 3


def readiness(parts: Parts) -> dict[str, Any]:
    """Look at the store, the spool, the loader and the loops; each says None, or why it is not ready."""
    checks = {
        "store": _store(parts),
        "spool": _spool(parts.config.data_dir),
        "loader": _loader(parts.collector_stats(), parts.watermark(), parts.now()),
    }
    loops = parts.loops()
    checks |= {f"{name} loop": _loop(each) for name, each in loops.items()}
    reasons = [f"{name}: {why}" for name, why in checks.items() if why]
    return {
        "ready": not reasons,
        "reasons": reasons,
        "checks": {name: why or "ok" for name, why in checks.items()},
        "loops": loops,
    }


def _store(parts: Parts) -> str | None:
    try:
        parts.book.ask("alive")
    except TocsinError as error:
        return f"does not answer: {error}"
    return None


def _spool(data_dir: Path) -> str | None:
    try:
        handle, path = tempfile.mkstemp(prefix=".ready-", dir=data_dir)
        os.close(handle)
        Path(path).unlink()
    except OSError as error:
        return f"cannot be written in {data_dir}: {error.strerror}"
    return None


def _loader(stats: Mapping[str, Any], mark: Mapping[str, datetime | None], now: datetime) -> str | None:
    waiting = sum(waiting_of(stats).values())
    if unfit := stats.get("unfit"):
        return f"{waiting} items wait: {unfit}"
    complete_to = mark.get("complete_to")
    behind_s = (now - complete_to).total_seconds() if complete_to else 0.0
    if waiting and behind_s > LOADER_STUCK_S:
        last = stats.get("last_error") or "look at the log"
        return f"{waiting} items wait, the oldest for {behind_s:.0f} s: {last}"
    return None


def _loop(stats: LoopStats) -> str | None:
    if not stats.is_alive:
        return "has ended"
    if stats.consecutive_failures >= LOOP_FAILURES:
        return f"failed {stats.consecutive_failures} times in a row: {stats.last_error}"
    if stats.since_turn_s is not None and stats.since_turn_s > LOOP_STUCK_S + stats.period_s:
        return f"has not turned for {stats.since_turn_s:.0f} s"
    return None


def waiting_of(stats: Mapping[str, Any]) -> dict[str, int]:
    """Say how much waits, by what it is called; requests apart, which hold the same items."""
    return {
        name.removeprefix("waiting_"): int(value)
        for name, value in stats.items()
        if name.startswith("waiting_") and name != "waiting_requests"
    }

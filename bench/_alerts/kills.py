"""An evaluator that ends between a message's being sent and its being known as sent, a thousand times.

Some are real processes, ended by SIGKILL from the receiver while it holds the message and has not answered. The others end in the
same code by an exception that nothing catches, in one process, over the same kind of store.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from _alerts.evaluating import DAY_0, MINUTE, evaluator, spoil, store
from _alerts.receiver import Arrival, Receiver
from tocsin_alerts.courier import Notifier
from tocsin_alerts.outbox import Notification
from tocsin_collector.store.database import Database

_CHILD = "from _alerts.kills import child; import sys; child(*sys.argv[1:])"
_BENCH = Path(__file__).resolve().parents[1]
_PATIENCE_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Kills:
    """What became of the alerts."""

    kills: int
    lost: int  # alerts that never came
    duplicated: int  # alerts that came under more than one key
    most_resends: int  # raw, of one message, by one kill

    @classmethod
    def of(cls, alerts: int, kills: int, arrivals: list[Arrival]) -> "Kills":
        """Count."""
        ids: dict[str, list[str]] = {}
        for each in arrivals:
            ids.setdefault(each.key, []).append(each.message)
        return cls(
            kills=kills,
            lost=alerts - len(ids),
            duplicated=sum(len(set(came)) - 1 for came in ids.values()) + max(0, len(ids) - alerts),
            most_resends=max((len(came) - 1 for came in ids.values()), default=0),
        )


class _End(BaseException):
    """The process ends here."""


class _Ending:
    """A way out after which the process ends, once for each new message."""

    def __init__(self, notifier: Notifier, seen: set[str]) -> None:
        self._notifier = notifier
        self._seen = seen

    def send(self, notification: Notification) -> None:
        """Send, and end."""
        self._notifier.send(notification)
        if notification.id not in self._seen:
            self._seen.add(notification.id)
            raise _End


def injected(folder: Path, *, kills: int, note: Callable[[str], None]) -> Kills:
    """End after each message's sending, in one process; each end is followed by a start over the same store."""
    seen: set[str] = set()
    with store(folder) as database, Receiver() as receiver:
        for number in range(kills + 1):
            engine, delivery = evaluator(
                database, receiver.url, epoch=number + 1, wrapped=lambda notifier: _Ending(notifier, seen)
            )
            if number < kills:
                spoil(database, number)
            slot = DAY_0 + (number + 1) * MINUTE
            try:
                engine.tick(slot, slot)
                delivery.pump()
                while delivery.stats().channels[0].waiting:
                    delivery.pump()
            except _End:
                pass
            if number % 100 == 0:
                note(f"{number} ends in one process")
        return Kills.of(kills, len(seen), receiver.arrivals)


def killed(folder: Path, *, kills: int, note: Callable[[str], None]) -> Kills:
    """Kill a real evaluator after each message's sending; each is followed by another over the same store."""
    seen: set[str] = set()
    with Receiver() as receiver:
        number = 0
        while number <= kills:
            process = subprocess.Popen(
                [sys.executable, "-c", _CHILD, str(folder), receiver.url, str(number), str(kills)], cwd=_BENCH
            )

            def kill(message: str, pid: int = process.pid) -> None:
                if message not in seen:
                    seen.add(message)
                    os.kill(pid, signal.SIGKILL)

            receiver.taken = kill
            code = process.wait(_PATIENCE_S)
            expected = 0 if number == kills else -signal.SIGKILL
            if code != expected:
                raise RuntimeError(f"expected the evaluator to end with {expected}, got {code}")
            number += 1
            if number % 10 == 0:
                note(f"{number} processes killed")
        return Kills.of(kills, len(seen), receiver.arrivals)


def child(folder: str, url: str, number: str, kills: str) -> None:
    """Take over the store, settle what was left, and send the next alert."""
    with store(Path(folder)) as database:
        _work(database, url, int(number), int(kills))


def _work(database: Database, url: str, number: int, kills: int) -> None:
    engine, delivery = evaluator(database, url, epoch=number + 1)
    delivery.pump()
    if number < kills:
        spoil(database, number)
    slot = DAY_0 + (number + 1) * MINUTE
    engine.tick(slot, slot)
    delivery.wake()
    while delivery.stats().channels[0].waiting:
        delivery.pump()

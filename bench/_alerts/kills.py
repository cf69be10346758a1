"""An evaluator that ends between a message's being sent and its being known as sent, a thousand times.

Some are whole evaluators in processes of their own, ended by SIGKILL from the receiver while it holds the message and has not
answered. The others are delivery alone, ended in the same code, after the answer, by an exception that nothing catches, in one process
over the same kind of store.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from _alerts.evaluating import DAY_0, MINUTE, Desk, book_of_one, evaluator, spoil, store
from _alerts.outage import fires
from _alerts.receiver import Arrival, Receiver
from tocsin_alerts.channels import WebhookChannel
from tocsin_alerts.courier import Notifier
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.notifiers import WebhookNotifier
from tocsin_alerts.outbox import Notification
from tocsin_alerts.plan import Plans
from tocsin_alerts.rules import RuleBook
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
    """End delivery after each message's sending, in one process; each end is followed by a start over the same store."""
    seen: set[str] = set()
    with store(folder) as database, Receiver() as receiver:
        book = book_of_one(database)
        for number in range(kills + 1):
            delivery = _delivery(database, book, receiver.url, seen)
            try:
                if number < kills:
                    event = fires(number)
                    row = {**asdict(event), "epoch": number + 1, "at": datetime.now(UTC)}
                    database.insert("alert_events", [row])
                    delivery.handle([event], event.slot, live=True)
                delivery.pump()
            except _End:
                pass
            if number % 100 == 0:
                note(f"{number} ends in one process")
        return Kills.of(kills, len(seen), receiver.arrivals)


def _delivery(database: Database, book: RuleBook, url: str, seen: set[str]) -> Delivery:
    now = lambda: datetime.now(UTC)  # noqa: E731 - the wall's
    channel, desk = WebhookChannel(name="oncall", url=url), Desk()
    notifier = _Ending(WebhookNotifier(channel, str, now=now), seen)
    return Delivery(database, [(channel, notifier)], plans=Plans(), rules=book, investigator=desk, guard=desk, now=now)


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

"""Two evaluators over one store: the first loses its lease between sending and saving, another takes over, then the first wakes up."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from _alerts.evaluating import Desk, book_of_one, store
from _alerts.outage import fires
from _alerts.receiver import Receiver
from tocsin_alerts.channels import WebhookChannel
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.errors import Superseded
from tocsin_alerts.fencing import FencedQuery, Tenancy, fenced
from tocsin_alerts.notifiers import WebhookNotifier
from tocsin_alerts.outbox import Notification, Outbox
from tocsin_alerts.plan import Plans
from tocsin_alerts.rules import RuleBook
from tocsin_collector.store.database import Database


@dataclass(slots=True)
class _Lease:
    """Held until it is not."""

    held: bool = True

    def __call__(self) -> bool:
        return self.held


@dataclass(frozen=True, slots=True)
class _Losing:
    """A way out after which the lease is lost: the process stood still for too long."""

    notifier: WebhookNotifier
    lease: _Lease

    def send(self, notification: Notification) -> None:
        self.notifier.send(notification)
        self.lease.held = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Zombies:
    """What became of the alerts."""

    keys: int
    notices: int  # ids, by which receivers merge
    most_raw: int  # posts of one
    won: int  # rows of the first that count after the second has written


def zombies(folder: Path, *, rounds: int) -> Zombies:
    """Let evaluators lose their lease at the worst moment, and count what came and whose word counts."""
    with store(folder) as database, Receiver() as receiver:
        book, won = book_of_one(database), 0
        for number in range(rounds):
            event = fires(number)
            database.insert("alert_events", [{**asdict(event), "epoch": 1, "at": datetime.now(UTC)}])
            lease = _Lease()
            first = _evaluator(database, book, receiver.url, Tenancy(epoch=2 * number + 1, is_held=lease), lease=lease)
            first.handle([event], event.slot, live=True)
            first.pump()  # sent, and what became of it could not be written
            [left] = [each for each in Outbox(database).pending() if each.incident == event.incident]
            second = _evaluator(database, book, receiver.url, Tenancy(epoch=2 * number + 2))
            second.pump()
            first.pump()
            late = FencedQuery(
                database, Tenancy(epoch=2 * number + 1)
            )  # a write that was under way when the lease ran out
            Outbox(late).settle(replace(left, version=99), "dead", attempts=99, error="late", now=datetime.now(UTC))
            won += _state(database, left.id) != "sent"
            if _refused(first, event.incident):
                raise RuntimeError("expected the first evaluator to send nothing more")
        came: dict[str, list[str]] = {}
        for each in receiver.arrivals:
            came.setdefault(each.key, []).append(each.message)
        return Zombies(
            keys=len(came),
            notices=sum(len(set(ids)) for ids in came.values()),
            most_raw=max(len(ids) for ids in came.values()),
            won=won,
        )


def _evaluator(
    database: Database, book: RuleBook, url: str, tenancy: Tenancy, *, lease: _Lease | None = None
) -> Delivery:
    """Start one; where a lease is given, sending loses it."""
    now = lambda: datetime.now(UTC)  # noqa: E731 - the wall's
    channel, desk = WebhookChannel(name="oncall", url=url), Desk()
    way = WebhookNotifier(channel, str, now=now)
    fence = fenced(_Losing(way, lease) if lease else way, tenancy)
    return Delivery(
        FencedQuery(database, tenancy),
        [(channel, fence)],
        plans=Plans(),
        rules=book,
        investigator=desk,
        guard=desk,
        now=now,
    )


def _refused(first: Delivery, incident: str) -> bool:
    """Whether the first one can still say anything."""
    event = replace(fires(0), incident=f"{incident}-later", fingerprint="later")
    try:
        first.handle([event], event.slot, live=True)
    except Superseded:
        return False
    return True


def _state(database: Database, notification: str) -> str:
    [row] = database.rows(
        "SELECT state FROM notifications FINAL WHERE notification = {id:String}", {"id": notification}
    )
    return str(row["state"])

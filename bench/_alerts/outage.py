"""A receiver that is away for an hour: it fails, hangs, cuts connections, asks for pauses. Real HTTP, a clock set by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from _alerts.evaluating import Desk, book_of_one, store
from _alerts.receiver import Mode, Receiver
from tocsin_alerts.channels import WebhookChannel
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.groups import event_id, fingerprint, incident_id
from tocsin_alerts.notifiers import WebhookNotifier
from tocsin_alerts.plan import Plans
from tocsin_alerts.records import AlertEvent

_MODES: Final[tuple[Mode, ...]] = ("500", "timeout", "reset", "429")
_NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class _Clock:
    at: datetime = _NOON

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What became of the alerts."""

    lost: int
    duplicated: int  # keys that came under more than one id
    raw: int  # messages that came more than once
    recovered_s: float  # from the receiver's return to the last message
    refused: int  # attempts that it did not take


def outage(folder: Path, *, alerts: int) -> Outage:
    """Let alerts fire while their receiver is away for an hour, a quarter in each way, and count what arrives after it is back."""
    clock = _Clock()
    with store(folder) as database, Receiver() as receiver:
        channel = WebhookChannel(name="oncall", url=receiver.url, timeout_s=0.3)
        delivery = Delivery(
            database.sibling(),
            [(channel, WebhookNotifier(channel, str, now=clock))],
            plans=Plans(),
            rules=book_of_one(database),
            investigator=Desk(),
            guard=Desk(),
            now=clock,
        )
        for second in range(3_600):
            receiver.mode = _MODES[second // 900]
            if second % (3_000 // alerts) == 0 and second * alerts // 3_000 < alerts:
                delivery.handle([fires(second * alerts // 3_000)], _NOON, live=True)
            delivery.pump()
            clock.at += timedelta(seconds=1)
        refused = receiver.refused
        while receiver.refused == refused:  # it is back at the worst moment: just after it has refused
            delivery.pump()
            clock.at += timedelta(seconds=1)
        receiver.mode, back, last = "up", clock.at, clock.at
        while delivery.stats().channels[0].waiting and clock.at - back < timedelta(hours=1):
            if delivery.pump():
                last = clock.at
            clock.at += timedelta(seconds=1)
        keys: dict[str, set[str]] = {}
        for each in receiver.arrivals:
            keys.setdefault(each.key, set()).add(each.message)
        return Outage(
            lost=alerts - len(keys),
            duplicated=sum(len(ids) - 1 for ids in keys.values()),
            raw=len(receiver.arrivals) - sum(map(len, keys.values())),
            recovered_s=(last - back).total_seconds(),
            refused=receiver.refused,
        )


def fires(number: int) -> AlertEvent:
    """Make the firing of one page."""
    use_case = f"u{number}"
    print_of = fingerprint("default", use_case, "errors", {})
    return AlertEvent(
        event_id=event_id(print_of, _NOON, "firing"),
        project="default",
        use_case=use_case,
        rule="errors",
        labels={},
        fingerprint=print_of,
        incident=incident_id(("default", use_case, "page:quality"), _NOON),
        severity="page",
        from_state="inactive",
        to_state="firing",
        slot=_NOON,
        value=0.9,
        lower=None,
        upper=None,
        baseline=None,
        n=100,
        reason="value 0.9 > 0.5",
        rule_hash="",
    )

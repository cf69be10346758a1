"""Whoever acts on transitions, and in which order they hear of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tocsin_alerts.board import Board
from tocsin_alerts.groups import opens
from tocsin_alerts.overlays import overlay_of
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.rules import RuleBook


class EventSink(Protocol):
    """The guard, delivery: whoever acts on transitions."""

    def handle(self, events: Sequence[AlertEvent], slot: datetime, *, live: bool) -> None:
        """Take in the transitions of one slot. The same event may come again: act on its id once.

        Args:
            events: Firing first, pages first; in a notice of where things stand, in order of their slots.
            slot: Theirs; in a notice the newest.
            live: False while catching up: note the state, tell nobody.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tidings:
    """Transitions of one slot, to be told or only noted."""

    slot: datetime
    events: Sequence[AlertEvent]
    live: bool


def tell(tidings: Sequence[Tidings], sinks: Sequence[EventSink], *, board: Board, book: RuleBook) -> None:
    """Tell every sink of each slot in turn, then once where things stand after slots that were only noted.

    Guard before delivery, slot by slot: a page says what has been done about it.
    """
    for each in tidings:
        if each.events:
            for sink in sinks:
                sink.handle(each.events, each.slot, live=each.live)
    quiet = [event for each in tidings if not each.live for event in each.events]
    if notice := standing(quiet, board, book):
        newest = max(each.slot for each in tidings)
        for sink in sinks:
            sink.handle(notice, newest, live=True)


def standing(quiet: Iterable[AlertEvent], board: Board, book: RuleBook) -> list[AlertEvent]:
    """Pick what has to be told after a catch-up: the transitions that still describe the present.

    An alert that is firing gives its last firing. One that has ended gives its resolve, unless its incident opened
    during the catch-up too: of that nobody had heard.

    Args:
        quiet: Transitions that were taken in without telling, in order.
        board: Where alerts stand now.
        book: For the groups of the rules.
    """
    fired: dict[tuple[str, str], AlertEvent] = {}  # by alert and incident: an alert may have been in several
    last: dict[tuple[str, str], AlertEvent] = {}
    opened: set[str] = set()
    for event in quiet:
        if not event.incident:
            continue
        rule = book.get(event.rule)
        # What was stored of an evaluator that fails stays unsettled while it does, and people may have heard of it.
        if overlay_of(event.labels) != "error" and opens(event, rule.text.group if rule else "quality"):
            opened.add(event.incident)
        key = (event.fingerprint, event.incident)
        last[key] = event
        if event.to_state == "firing":
            fired[key] = event
    told: list[AlertEvent] = []
    for key, event in last.items():
        series = board.series.get(event.fingerprint)
        if series is not None and series.status.is_active and series.incident == event.incident:
            told += [fired[key]] if key in fired else []
        elif event.to_state == "resolved" and event.incident not in opened:
            told.append(event)
    return sorted(told, key=lambda event: (event.slot, event.to_state != "firing", event.rule, event.fingerprint))

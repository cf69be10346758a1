"""How long from a rule's slot being due to its page at the receiver: engine, delivery and a webhook as ``tocsin up`` joins them.

A thousand rules of a team's own, due every minute, each with SQL of its own over ten model versions of one use case and, by the hash
of its name, an offset within the minute; the rollups are written, not loaded. In each slot another tenth of the rules begins to
fire. Real time passes: a loop turns every second, and a page's delay counts from the second at which its rule was due.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from _alerts.evaluating import ERRORS, MINUTE, Desk, store
from _alerts.receiver import Arrival, Receiver
from tocsin_alerts.channels import WebhookChannel
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.documents import Document
from tocsin_alerts.engine import Engine
from tocsin_alerts.inline_sql import InlineSource, describe
from tocsin_alerts.notifiers import WebhookNotifier
from tocsin_alerts.plan import Plans
from tocsin_alerts.rules import RuleBook, compile_rule
from tocsin_collector.store.database import Database

_SERIES: Final = 10  # of one rule
_LAST_OFFSET_S: Final = 50
_PERIOD_S: Final = 1.0  # as the loop of ``tocsin up``
_SQL: Final = ERRORS.replace("segment_name = ''", "segment_name = '' AND use_case = '@'").strip()


def latencies(folder: Path, *, rules: int, slots: int, note: Callable[[str], None]) -> list[float]:
    """Give, of every page, the seconds from its rule's being due to its arrival.

    Args:
        folder: Of the store.
        rules: How many, each of ten series.
        slots: Minutes, in each of which a tenth of the rules begins to fire; ten at most.
        note: Told of each slot.

    Raises:
        RuntimeError: a page did not arrive, or a rule failed.
    """
    with store(folder) as database, Receiver() as receiver:
        book = _book(database, rules)
        delivery = _delivery(database, book, receiver.url)
        engine = _engine(database, book, delivery)
        _write(database, rules, _now())
        delivery.start()
        engine.tick(_now(), _now())  # where everything is well
        first = _minute_after(_now() + timedelta(seconds=_LAST_OFFSET_S - 60 + 2))
        failed: dict[str, str] = {}
        for number in range(slots):
            slot = first + number * MINUTE
            _turn_until(engine, delivery, slot - timedelta(seconds=3), failed)
            _spoil(database, [each for each in range(rules) if each % 10 == number], _now())
            _turn_until(engine, delivery, slot + timedelta(seconds=_LAST_OFFSET_S + 1), failed)
            note(f"slot {slot:%H:%M}: {len(receiver.arrivals)} pages so far")
        _turn_until(engine, delivery, _now() + timedelta(seconds=1), failed)
        if not delivery.wait_idle(120) or failed:
            raise RuntimeError(f"expected every page to be sent and no rule to fail, got {list(failed.items())[:1]}")
        delivery.close()
        offsets = {rule.name: rule.text.offset for rule in book}
        taken = [_delay(each, offsets) for each in receiver.arrivals]
    expected = sum(1 for each in range(rules) if each % 10 < slots)
    if len({each.key for each in receiver.arrivals}) != expected:
        raise RuntimeError(f"expected {expected} pages, got {len(receiver.arrivals)}")
    return taken


def _turn_until(engine: Engine, delivery: Delivery, end: datetime, failed: dict[str, str]) -> None:
    """Turn every second, as the loop of ``tocsin up`` does."""
    while (now := _now()) < end:
        failed |= engine.tick(now, now).failed
        delivery.wake()
        time.sleep(max(0.0, _PERIOD_S - (_now() - now).total_seconds()))


def _delay(arrival: Arrival, offsets: Mapping[str, timedelta]) -> float:
    due = datetime.fromisoformat(arrival.slot) + offsets[arrival.rule]
    return (arrival.at - due).total_seconds()


def _delivery(database: Database, book: RuleBook, url: str) -> Delivery:
    channel, desk = WebhookChannel(name="oncall", url=url), Desk()
    return Delivery(
        database.sibling(),
        [(channel, WebhookNotifier(channel, str, now=_now))],
        plans=Plans(),
        rules=book,
        investigator=desk,
        guard=desk,
    )


def _engine(database: Database, book: RuleBook, delivery: Delivery) -> Engine:
    return Engine(
        database.sibling(),
        book,
        {},
        Plans(),
        epoch=1,
        clock_mode="wall",
        handlers=(delivery,),
        maintain=lambda _day: None,
        readers=(database.sibling(),),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _minute_after(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0) + MINUTE


def _book(database: Database, rules: int) -> RuleBook:
    described = describe(InlineSource.of("described", _SQL), database)
    sources = {
        f"shares-{number}": replace(
            InlineSource.of(f"u{number}", _SQL.replace("'@'", f"'u{number}'")),
            name=f"shares-{number}",
            columns=described.columns,
        )
        for number in range(rules)
    }
    said = {"summary": "Errors", "every": "1m", "severity": "page", "when": "value > 0.5"}
    made = [
        compile_rule(
            Document(
                path=f"r{number}.yaml",
                data={"rule": f"r{number}", "evaluator": f"shares-{number}", "offset": f"{_offset_s(number)}s", **said},
                lines={},
            ),
            evaluators=sources,
        )
        for number in range(rules)
    ]
    return RuleBook({rule.name: rule for rule in made})


def _offset_s(number: int) -> int:
    return int(hashlib.sha256(f"r{number}".encode()).hexdigest(), 16) % (_LAST_OFFSET_S + 1)


def _write(database: Database, rules: int, at: datetime) -> None:
    """Write an hour in which one answer of a hundred fails, of ten model versions of each use case."""
    rows = [_row(number, version, at, calls=100, errors=1) for number in range(rules) for version in range(_SERIES)]
    database.insert("ai_calls_1h", rows)


def _spoil(database: Database, firing: Sequence[int], at: datetime) -> None:
    """Let one model version of some use cases fail."""
    database.insert("ai_calls_1h", [_row(number, 0, at, calls=0, errors=98) for number in firing])


def _row(number: int, version: int, at: datetime, *, calls: int, errors: int) -> dict[str, Any]:
    said = {"project": "default", "use_case": f"u{number}", "model_version": f"v{version}"}
    hour = at.replace(minute=0, second=0, microsecond=0)
    return {**said, "hour": hour, "segment_name": "", "calls": calls, "errors": errors}

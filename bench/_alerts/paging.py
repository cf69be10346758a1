"""How long from a slot that is due to the page at its receiver: the engine, delivery and a webhook as ``tocsin up`` joins them.

A thousand rules of a team's own, each with SQL of its own over ten model versions of one use case; the rollups are written, not
loaded. In each slot another tenth of the rules fires.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from _alerts.receiver import Receiver
from tocsin_alerts.briefing import Findings, GuardNews
from tocsin_alerts.channels import WebhookChannel
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.documents import Document
from tocsin_alerts.engine import Engine
from tocsin_alerts.inline_sql import InlineSource, describe
from tocsin_alerts.notifiers import WebhookNotifier
from tocsin_alerts.plan import Plans
from tocsin_alerts.rules import RuleBook, compile_rule
from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import migrate
from tocsin_collector.store.store_address import StoreAddress

_SERIES: Final = 10  # of one rule
_PERIOD_S: Final = 1.0  # as the loop of ``tocsin up``
_MINUTE: Final = timedelta(minutes=1)
_SQL: Final = """
SELECT
    project, use_case, model_version, fromUnixTimestamp64Milli(toInt64(slot_no * {step_s:UInt32} * 1000), 'UTC') AS slot,
    toNullable(sum(errors) / sum(calls)) AS value, toUInt64(sum(calls)) AS n
FROM
(
    SELECT project, use_case, model_version, calls, errors, arrayJoin(range(
        intDiv(toUnixTimestamp({since:DateTime('UTC')}), {step_s:UInt32}) + 1,
        intDiv(toUnixTimestamp({until:DateTime('UTC')}), {step_s:UInt32}) + 1)) AS slot_no
    FROM ai_calls_1h
    WHERE project = 'default' AND use_case = '@' AND segment_name = '' AND hour >= {since:DateTime('UTC')} - toIntervalDay(1)
)
GROUP BY project, use_case, model_version, slot_no
"""


class _Desk:
    """Nothing to say beyond the alert: what evidence costs is measured elsewhere."""

    def __call__(self, **_: object) -> Findings:
        return Findings()

    def news(self, *_: str) -> GuardNews:
        return GuardNews()


@contextmanager
def store(folder: Path) -> Iterator[Database]:
    """Open an embedded store of its own."""
    database = Database.open(StoreAddress(path=folder, database="tocsin"))
    try:
        migrate(database, now=datetime.now(UTC))
        yield database
    finally:
        database.close()


def latencies(folder: Path, *, rules: int, slots: int, seed: int, note: Callable[[str], None]) -> list[float]:
    """Give, of every page, the seconds from its slot's being due to its arrival.

    Args:
        folder: Of the store.
        rules: How many, each of ten series.
        slots: In each of which a tenth of the rules begins to fire.
        seed: Of where in its period the loop is when a slot is due.
        note: Told of each slot.

    Raises:
        RuntimeError: a page did not arrive.
    """
    chance = random.Random(seed)
    with store(folder) as database, Receiver() as receiver:
        book = _book(database, rules)
        plans, desk = Plans(), _Desk()
        channel = WebhookChannel(name="oncall", url=receiver.url)
        now = lambda: datetime.now(UTC)  # noqa: E731 - the wall's
        delivery = Delivery(
            database.sibling(),
            [(channel, WebhookNotifier(channel, str, now=now))],
            plans=plans,
            rules=book,
            investigator=desk,
            guard=desk,
        )
        engine = Engine(
            database.sibling(),
            book,
            {},
            plans,
            epoch=1,
            clock_mode="wall",
            handlers=(delivery,),
            maintain=lambda _day: None,
            readers=(database.sibling(),),
        )
        first = now().replace(second=0, microsecond=0) + timedelta(hours=1)
        _write(database, rules, first)
        delivery.start()
        engine.tick(first, first)  # where everything is well
        taken: list[float] = []
        for number in range(slots):
            firing = [each for each in range(rules) if each % 10 == number % 10]
            _spoil(database, firing, first, version=number // 10)
            slot = first + (number + 1) * _MINUTE
            due = time.monotonic()
            time.sleep(chance.uniform(0, _PERIOD_S))
            report = engine.tick(slot, slot)
            delivery.wake()
            if not delivery.wait_idle(120) or report.failed:
                raise RuntimeError(
                    f"expected every page to be sent and no rule to fail, got {list(report.failed.items())[:1]}"
                )
            taken += [each.at_s - due for each in receiver.arrivals[len(taken) :]]
            note(f"slot {number + 1}: {len(firing)} rules fired, the last page after {taken[-1]:.1f} s")
        delivery.close()
        keys = {each.key for each in receiver.arrivals}
        expected = sum(
            1 for number in range(slots) for each in range(rules) if each % 10 == number % 10 and number < 10
        )
        if len(keys) != expected:
            raise RuntimeError(f"expected {expected} pages, got {len(keys)}")
    return taken


def _book(database: Database, rules: int) -> RuleBook:
    text = _SQL.strip()
    described = describe(InlineSource.of("described", text), database)
    sources = {
        f"shares-{number}": replace(
            InlineSource.of(f"u{number}", text.replace("'@'", f"'u{number}'")),
            name=f"shares-{number}",
            columns=described.columns,
        )
        for number in range(rules)
    }
    said = {"summary": "Errors", "every": "1m", "severity": "page", "when": "value > 0.5"}
    made = [
        compile_rule(
            Document(
                path=f"r{number}.yaml", data={"rule": f"r{number}", "evaluator": f"shares-{number}", **said}, lines={}
            ),
            evaluators=sources,
        )
        for number in range(rules)
    ]
    return RuleBook({rule.name: rule for rule in made})


def _write(database: Database, rules: int, at: datetime) -> None:
    """Write an hour in which one answer of a hundred fails, of ten model versions of each use case."""
    hour = at.replace(minute=0)
    rows = [_row(number, version, hour, calls=100, errors=1) for number in range(rules) for version in range(_SERIES)]
    database.insert("ai_calls_1h", rows)


def _spoil(database: Database, firing: Sequence[int], at: datetime, *, version: int) -> None:
    """Let one model version of some use cases fail."""
    rows = [_row(number, version, at.replace(minute=0), calls=0, errors=98) for number in firing]
    database.insert("ai_calls_1h", rows)


def _row(number: int, version: int, hour: datetime, *, calls: int, errors: int) -> dict[str, Any]:
    said = {"project": "default", "use_case": f"u{number}", "model_version": f"v{version}", "hour": hour}
    return {**said, "segment_name": "", "calls": calls, "errors": errors}

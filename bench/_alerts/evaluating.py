"""An evaluator as ``tocsin up`` joins it: the engine, delivery and a webhook over an embedded store, ticked by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tocsin_alerts.briefing import Findings, GuardNews
from tocsin_alerts.channels import WebhookChannel
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.documents import Document
from tocsin_alerts.engine import Engine
from tocsin_alerts.notifiers import WebhookNotifier
from tocsin_alerts.plan import Plans
from tocsin_alerts.rules import RuleBook, compile_rule
from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import migrate
from tocsin_collector.store.store_address import StoreAddress

MINUTE: Final = timedelta(minutes=1)
DAY_0: Final = datetime(2026, 3, 1, tzinfo=UTC)
ERRORS: Final = """
SELECT
    project, use_case, model_version, fromUnixTimestamp64Milli(toInt64(slot_no * {step_s:UInt32} * 1000), 'UTC') AS slot,
    toNullable(sum(errors) / sum(calls)) AS value, toUInt64(sum(calls)) AS n
FROM
(
    SELECT project, use_case, model_version, calls, errors, arrayJoin(range(
        intDiv(toUnixTimestamp({since:DateTime('UTC')}), {step_s:UInt32}) + 1,
        intDiv(toUnixTimestamp({until:DateTime('UTC')}), {step_s:UInt32}) + 1)) AS slot_no
    FROM ai_calls_1h
    WHERE project = 'default' AND segment_name = '' AND hour >= {since:DateTime('UTC')} - toIntervalDay(1)
)
GROUP BY project, use_case, model_version, slot_no
"""


class Desk:
    """Nothing to say beyond the alert: what evidence costs is measured elsewhere."""

    def __call__(self, **_: object) -> Findings:
        """Find nothing."""
        return Findings()

    def news(self, *_: str) -> GuardNews:
        """Do nothing."""
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


def book_of_one(database: Database) -> RuleBook:
    """Give one page rule over every use case, due each minute."""
    said = {
        "rule": "errors",
        "sql": ERRORS,
        "summary": "Errors",
        "every": "1m",
        "severity": "page",
        "when": "value > 0.5",
    }
    rule = compile_rule(Document(path="errors.yaml", data=said, lines={}), evaluators={}, query=database)
    return RuleBook({rule.name: rule})


def evaluator(database: Database, url: str, *, epoch: int) -> tuple[Engine, Delivery]:
    """Start an evaluator over a store, as after any end of the one before.

    Args:
        database: The store.
        url: The webhook's.
        epoch: Rises with each start.
    """
    now = lambda: datetime.now(UTC)  # noqa: E731 - the wall's
    channel, book, desk = WebhookChannel(name="oncall", url=url), book_of_one(database), Desk()
    notifier = WebhookNotifier(channel, str, now=now)
    delivery = Delivery(
        database, [(channel, notifier)], plans=Plans(), rules=book, investigator=desk, guard=desk, now=now
    )
    engine = Engine(
        database,
        book,
        {},
        Plans(),
        epoch=epoch,
        clock_mode="wall",
        handlers=(delivery,),
        maintain=lambda _day: None,
    )
    return engine, delivery


def spoil(database: Database, number: int) -> None:
    """Let one more use case fail."""
    row = {"project": "default", "use_case": f"u{number}", "model_version": "v", "hour": DAY_0, "segment_name": ""}
    database.insert("ai_calls_1h", [{**row, "calls": 100, "errors": 99}])

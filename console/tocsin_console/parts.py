"""What a running ``up`` is made of, as the API sees it: each part by what is asked of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from tocsin_alerts.acknowledging import Acknowledgements
from tocsin_alerts.channel_trial import Tried
from tocsin_alerts.channels import Channel
from tocsin_alerts.charts.drawer import Draw
from tocsin_alerts.plan import Plans
from tocsin_alerts.retraining.book import RetrainingBook
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.silences import Silences
from tocsin_alerts.verdicts import Verdicts
from tocsin_collector.correct.prices import Synced
from tocsin_collector.load.fleet import Member
from tocsin_collector.privacy.disk_use import DiskUse
from tocsin_collector.privacy.forget import Report as ForgetReport
from tocsin_collector.privacy.forget import Request as ForgetRequest
from tocsin_collector.receive.key_book import KeyFacts, NewKey
from tocsin_console.access.gate import Identify, anybody
from tocsin_console.access.tokens import AccessKeys
from tocsin_console.book import Book
from tocsin_console.calls.desk import CallsDesk
from tocsin_console.calls.detail import DetailDesk
from tocsin_console.config import Config
from tocsin_console.cost.desk import CostDesk
from tocsin_console.drill.desk import DrillDesk
from tocsin_console.investigation import Explainer
from tocsin_console.judge.desk import JudgeDesk
from tocsin_console.loop import LoopStats
from tocsin_console.outcomes import OutcomeDesk
from tocsin_console.reader import Answer
from tocsin_console.recall.desk import RecallDesk
from tocsin_console.reference_desk import ReferenceDesk
from tocsin_console.rehearsing import Rehearsal
from tocsin_console.report.desk import ReportDesk
from tocsin_console.report.sending import Postbox
from tocsin_console.review.desk import ReviewDesk
from tocsin_console.spool_desk import SpoolDesk
from tocsin_console.web.news import News


class Guard(Protocol):
    """The guard's book, as a person acts on it."""

    def set(
        self,
        use_case: str,
        state: Any,
        *,
        actor: str,
        cause: str,
        project: str = "default",
        lasts: timedelta | None = None,
    ) -> Any:
        """Override the guard by hand, until it is released or for a time."""
        ...

    def release(self, use_case: str, *, actor: str, project: str = "default") -> Any:
        """Take an override or a trip back."""
        ...


class Asker(Protocol):
    """Runs a person's SQL."""

    def ask(self, sql: str) -> Answer:
        """Run one statement that reads."""
        ...


class Keys(Protocol):
    """The book of ingest keys."""

    def create(self, project: str, *, name: str, by: str, now: datetime, role: str = ...) -> NewKey:
        """Make a key for a project, or with a role."""
        ...

    def listed(self, project: str = "") -> Sequence[KeyFacts]:
        """List keys."""
        ...

    def revoke(self, key_id: str, *, by: str, now: datetime) -> KeyFacts:
        """Revoke a key for good."""
        ...


class Forget(Protocol):
    """Erases a person or a call."""

    def __call__(self, request: ForgetRequest, *, by: str, dry_run: bool = False) -> ForgetReport:
        """Erase, and prove it by count."""
        ...


class Hears(Protocol):
    """Hears what the services of channels say of incidents."""

    def hears(self, name: str) -> bool:
        """Whether anything is heard of a channel."""
        ...

    def hear(self, name: str, body: bytes, headers: Mapping[str, str]) -> str:
        """Take it down, and say what was made of it."""
        ...


def _unrecorded(_actor: str, _path: str) -> None:
    """Nobody keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that the API answers from."""

    config: Config
    version: str
    store_version: str
    started_at: datetime
    addresses: Mapping[str, str]
    book: Book
    draw: Draw  # of messages
    figures: Draw  # of pages: a chart as it is, drawn beside those of messages, which wait for nobody
    reader: Asker
    plans: Plans
    channels: Sequence[Channel]
    lost_routes: Sequence[str]  # of plans and rules, that name none of them
    guard: Guard
    rules: Sequence[Mapping[str, Any]]  # as listed
    collector_stats: Callable[[], Mapping[str, Any]]
    watermark: Callable[[], Mapping[str, datetime | None]]
    evaluated_through: Callable[[], datetime | None]
    delivery_stats: Callable[[], Mapping[str, Any]]
    loops: Callable[[], Mapping[str, LoopStats]]
    sync_prices: Callable[[], Synced]
    forget: Forget
    spool: SpoolDesk
    disk: Callable[[], Mapping[str, Any]]  # as last looked at
    disk_look: Callable[[], DiskUse]
    disk_drop: Callable[[str], DiskUse]  # drops what is proposed; by whom
    backup: Callable[..., Mapping[str, Any]]  # to a place, adding to an earlier one or none; hold
    keys: Keys
    keys_changed: Callable[[], None]  # hold at once
    guard_changed: Callable[[], None]  # publish at once
    use_cases_mapped: Callable[[], int]  # read the mapping of tocsin.yaml again; says how many entries
    relabel: Callable[[str, str, str], Mapping[str, int]]  # project, old, new: move what is stored to another use case
    record_outcomes: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]
    outcome_desk: OutcomeDesk
    references: ReferenceDesk
    reviews: ReviewDesk
    calls: CallsDesk
    call_detail: DetailDesk
    judge: JudgeDesk
    cost: CostDesk
    rehearsal: Rehearsal
    retraining: RetrainingBook
    report: ReportDesk
    drill: DrillDesk
    recall: RecallDesk
    postbox: Postbox
    explain: Explainer
    silences: Silences
    try_channels: Callable[[str], Sequence[Tried]]  # one by its name, or all
    acknowledgements: Acknowledgements
    hearing: Hears
    verdicts: Verdicts
    now: Callable[[], datetime]
    reading: Callable[[], Mapping[str, int]] = dict  # what the ClickHouse endpoint counts; nothing without one
    spool_max_bytes: int | None = None
    collectors: Callable[[], Sequence[Member]] = list  # of a server, that have not ended
    identify: Identify = anybody  # who asks, of a request
    access_keys: AccessKeys | None = None  # None: nobody signs in with one
    audit: Callable[[str, str], None] = _unrecorded  # who did something, and at which address
    news: News = field(default_factory=News)
    rule_book: RuleBook = field(default_factory=RuleBook)  # what ``rules`` lists

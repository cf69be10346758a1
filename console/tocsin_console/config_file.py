"""The shape of tocsin.yaml: every key optional, every unknown key refused."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from tocsin_alerts.grouping import Grouping
from tocsin_alerts.inhibitions import Inhibition
from tocsin_alerts.windows import Window
from tocsin_console.sections.acting import DeadManSection, ReportSection, RetrainingAction
from tocsin_console.sections.channel import Channel
from tocsin_console.sections.money import JudgeSection, PriceSection
from tocsin_console.sections.receiving import (
    AccessSection,
    CollectorSection,
    IngestKeys,
    LimitsSection,
    ListenSection,
    RedactSection,
    TlsSection,
    UseCaseMapping,
)
from tocsin_console.sections.section import Section
from tocsin_console.sections.storing import StoreSection

Clock = Literal["wall", "data"]


class TocsinYaml(Section):
    """All of tocsin.yaml."""

    data_dir: Path | None = None
    """Folder of the spool and the embedded store; left out, `tocsin-data` beside the file, and without a file `~/.local/share/tocsin`."""
    clock: Clock | None = None
    """`wall`: now is the time of day; `data`: now is the end of the latest loaded span, to replay history; left out, `wall`."""
    insecure: bool | None = None
    """true lets listeners beyond loopback do without what they need there; left out, false."""
    public_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#@]+/?$")
    """Where people reach the API, by a proxy that signs them in; left out, messages link nothing."""
    access: AccessSection = AccessSection()
    """Who may use the API and its pages."""
    store: StoreSection = StoreSection()
    """Where calls are kept; left out, the embedded engine."""
    listen: ListenSection = ListenSection()
    """The addresses that are listened on; left out, loopback."""
    collector: CollectorSection = CollectorSection()
    """One of several collectors over a server."""
    tls: TlsSection = TlsSection()
    """The certificate of the receivers and the guard."""
    ingest_keys: IngestKeys | None = None
    """`required`: nothing is taken without a key; `optional`: without one, spans belong to the project `default`; left out, `optional`."""
    limits: LimitsSection = LimitsSection()
    """How much of what senders send is kept."""
    redact: tuple[RedactSection, ...] = ()
    """What is taken out of every text before it is stored."""
    prices: tuple[PriceSection, ...] = ()
    """What models cost here, before the public list; the first that matches holds."""
    judge: JudgeSection | None = None
    """Your own model as a judge; left out, none, and nothing is sent anywhere."""
    retraining_actions: tuple[RetrainingAction, ...] = ()
    """What a plan's `retraining.action` may name."""
    report: ReportSection | None = None
    """When the week's report is mailed; left out, never."""
    dead_man: DeadManSection | None = None
    """What raises the alarm outside when tocsin falls silent; left out, nothing does."""
    max_disk: str | int | None = None
    """Size such as `50GB`; at 80 % of it tocsin warns and says what could go; left out, only when the disk itself is 95 % full."""
    channels: tuple[Channel, ...] = ()
    """Where messages go; left out, the log."""
    maintenance: tuple[Window, ...] = ()
    """Silences that come round by themselves."""
    inhibit: tuple[Inhibition, ...] = ()
    """What is not told while something else fires, beside the shipped inhibitions."""
    grouping: Grouping = Grouping()
    """How soon, and how often, a channel hears of an incident; on the data's clock nothing waits."""
    use_case_map: tuple[UseCaseMapping, ...] = ()
    """Names the use case of spans that do not say; the first match wins."""
    use_cases: Path | None = None
    """Folder of plans; left out, `use_cases` beside the file."""
    rules: Path | None = None
    """Folder of your rules, beside the shipped ones; left out, `rules` beside the file."""
    templates: Path | None = None
    """Folder of your templates, over the shipped ones of the same file name; left out, `templates` beside the file."""

    @field_validator("redact")
    @classmethod
    def _has_names_once(cls, said: tuple[RedactSection, ...]) -> tuple[RedactSection, ...]:
        names = [each.rule().name for each in said]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each name once, got {', '.join(twice)} more often")
        return said

"""The shape of tocsin.yaml: every key optional, every unknown key refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, field_validator, model_validator

from tocsin_alerts.grouping import Grouping
from tocsin_alerts.inhibitions import Inhibition
from tocsin_alerts.windows import Window
from tocsin_collector.correct.prices import AgreedPrice, UnitPrice
from tocsin_collector.privacy.redaction import PRESETS, Redaction
from tocsin_console.access.roles import Role

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Clock = Literal["wall", "data"]
IngestKeys = Literal["required", "optional"]
Severities = tuple[Literal["page", "ticket", "log"], ...]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreTlsSection(_Section):
    """How an https store's certificate is checked, and what is shown to it."""

    ca: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    verify: bool = True


class StoreSection(_Section):
    """Where calls are kept: a folder of the embedded engine, a ClickHouse server, or the hosts of a cluster."""

    path: Path | None = None
    url: str | tuple[str, ...] | None = None  # several: hosts of a cluster, or of a proxy; asked in this order
    database: str = "tocsin"
    user: str = ""
    password: str = ""  # env:NAME or file:PATH, never the password itself
    token: str = ""  # as password; instead of user and password
    cluster: str = ""  # its name in the servers' remote_servers
    insert_quorum: str | int = "auto"
    connect_timeout_s: float = Field(default=5.0, gt=0)
    timeout_s: float = Field(default=300.0, gt=0)
    tls: StoreTlsSection = StoreTlsSection()
    retention: dict[str, str] = Field(default_factory=dict)  # table: 30d, 13 months, or for ever
    evidence: str = "400d"  # how long the content of calls picked for review waits for one
    reviewed_content: str = "30d"  # how long content is kept after its call was reviewed; for ever: as its tables say

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, said: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for url in (said,) if isinstance(said, str) else said or ():
            if urlsplit(url).password:
                raise ValueError("expected a URL without a password: give it as password: env:NAME or file:PATH")
        return said


class CollectorSection(_Section):
    """One of several collectors over a store, and where the verbs find one."""

    name: str | None = Field(default=None, min_length=1)
    address: str | None = Field(default=None, min_length=1)  # http://host:4317, for outcomes load and review
    drain_s: float = Field(
        default=10.0,
        ge=0,
        le=3600,
        description="so long an ending collector loads what it has; the rest waits in its spool",
    )


class ListenSection(_Section):
    """The addresses that ``tocsin up`` listens on."""

    grpc: str | None = None
    http: str | None = None  # OTLP over HTTP; off ends it
    api: str | None = None
    guard: str | None = None
    clickhouse: str | None = None  # reading over HTTP, of the embedded engine; off ends it
    clickhouse_password: str = ""  # env:NAME or file:PATH; empty: user default, without password


class LimitsSection(_Section):
    """How much of what senders send is kept."""

    max_value_bytes: int = Field(default=64 * 1024, ge=1024)  # of one attribute's value; more is cut and marked
    keep_long_values: bool = False  # nothing is cut on arrival; long outputs stand whole in call_content
    max_attributes: int = Field(default=4096, ge=1)  # of one span, log record, resource or scope


class Channel(_Section):
    """Where messages go: the log, a webhook (signed as Standard Webhooks), PagerDuty, Alertmanager, Slack, Teams, mail, or what Apprise knows."""

    name: str = Field(min_length=1)
    type: Literal["log", "webhook", "pagerduty", "alertmanager", "slack", "slack_bot", "teams", "smtp", "apprise"]
    severities: Severities | None = None  # None: everything for the log and Alertmanager, pages for the others
    updates: bool | None = None  # also tell when an open incident gains evidence; None: the type's default
    url: str | None = None  # of Slack and Teams env:NAME or file:PATH, since whoever has it can post
    urls: tuple[str, ...] | None = None  # every replica of one Alertmanager, not a balancer before them
    resend_s: float | None = Field(default=None, ge=1, le=3_600)  # of Alertmanager: what fires is posted this often
    routing_key: str | None = None  # env:NAME or file:PATH
    secret: str | None = None  # env:NAME or file:PATH
    token: str | None = None  # of a Slack bot: env:NAME or file:PATH
    room: str | None = None  # of Slack: its id, C…
    signing_secret: str | None = (
        None  # of a Slack app: env:NAME or file:PATH; messages get a button to take the incident
    )
    webhook_secret: str | None = (
        None  # of a PagerDuty webhook: env:NAME or file:PATH; acknowledging there is heard here
    )
    host: str | None = None
    port: int | None = Field(default=None, gt=0, lt=65536)
    sender: str | None = None
    recipients: tuple[str, ...] | None = None
    user: str | None = None
    password: str | None = None  # env:NAME or file:PATH
    tls: Literal["none", "starttls", "tls"] | None = None
    timeout_s: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        needed, more = _KEYS_OF_TYPE[self.type]
        given = {key for key in type(self).model_fields if getattr(self, key) not in (None, ())}
        for key in sorted(given - {"name", "type", "severities", "updates", *needed, *more}):
            valid = ", ".join((*needed, *more)) or "none beyond name, severities and updates"
            raise ValueError(f"a {self.type} channel has no {key!r}: its own keys are {valid}")
        for key in needed:
            if key not in given:
                raise ValueError(f"a {self.type} channel needs {key!r}")
        return self

    def said(self) -> dict[str, Any]:
        """Give what was said of this channel, without its type."""
        return self.model_dump(exclude={"type"}, exclude_none=True)


_KEYS_OF_TYPE: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {  # needed, and further
    "log": ((), ()),
    "webhook": (("url",), ("secret", "timeout_s")),
    "pagerduty": (("routing_key",), ("url", "webhook_secret", "timeout_s")),
    "alertmanager": (("urls",), ("user", "password", "resend_s", "timeout_s")),
    "slack": (("url",), ("signing_secret", "timeout_s")),
    "slack_bot": (("token", "room"), ("signing_secret", "url", "timeout_s")),
    "apprise": (("url",), ()),
    "teams": (("url",), ("timeout_s",)),
    "smtp": (("host", "sender", "recipients"), ("port", "user", "password", "tls", "timeout_s")),
}


class TlsSection(_Section):
    """The certificate that receivers and the guard show, and whose clients are let in."""

    certificate: Path | None = None
    private_key: Path | None = None
    client_ca: Path | None = None

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("a certificate needs its private_key, and the key its certificate: give both")
        if self.client_ca and not self.certificate:
            raise ValueError("client_ca needs a certificate and private_key of our own: give all three")
        return self


class RedactSection(_Section):
    """One rule of what is taken out of texts before they are stored: a shipped one by name, or a pattern."""

    preset: str | None = None
    name: str | None = None
    pattern: str | None = None
    luhn: bool | None = None
    fields: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, said: Any) -> Any:
        return {"preset": said} if isinstance(said, str) else said

    @model_validator(mode="after")
    def _is_a_rule(self) -> Self:
        self.rule()
        return self

    def rule(self) -> Redaction:
        """Give the rule that this stands for.

        Raises:
            ValueError: it stands for none.
        """
        if self.preset is None:
            if self.name is None or self.pattern is None:
                raise ValueError(f"expected a name and a pattern, or one of {', '.join(sorted(PRESETS))}")
            return Redaction(name=self.name, pattern=self.pattern, luhn=bool(self.luhn), fields=self.fields)
        if self.name is not None or self.pattern is not None or self.luhn is not None:
            raise ValueError(f"{self.preset} has a name and a pattern of its own: beside it only fields can be given")
        if self.preset not in PRESETS:
            raise ValueError(f"expected one of {', '.join(sorted(PRESETS))}, got {self.preset!r}")
        return replace(PRESETS[self.preset], fields=self.fields)


class UseCaseMapping(_Section):
    """Names the use case of spans that do not say; an empty key matches everything but a project."""

    project: str = Field(default="default", min_length=1)
    service: str = ""
    span_name: str = ""
    route: str = ""
    function: str = ""
    model: str = ""
    use_case: str = Field(min_length=1)


class PriceSection(_Section):
    """What a model costs here: negotiated per million tokens, or a machine of one's own per call or second."""

    model: str = Field(min_length=1)  # as calls say it; * and ? stand for anything
    provider: str = ""
    project: str = ""
    currency: str
    valid_from: date | None = None
    input_per_mtok: float | None = None
    output_per_mtok: float | None = None
    cache_read_per_mtok: float | None = None  # None: as input
    cache_write_per_mtok: float | None = None
    per_call: float | None = None
    per_second: float | None = None

    @model_validator(mode="after")
    def _is_a_price(self) -> Self:
        self.agreed()
        return self

    def agreed(self) -> AgreedPrice:
        """Give the price that this stands for.

        Raises:
            ValueError: it stands for none.
        """
        said = self.model_dump(exclude={"model", "provider", "project", "valid_from"})
        if self.valid_from is not None:
            said["valid_from"] = datetime.combine(self.valid_from, time(), tzinfo=UTC)
        return AgreedPrice(
            model=self.model, provider=self.provider.lower(), project=self.project, price=UnitPrice(**said)
        )


class JudgeSection(_Section):
    """The team's own model as a judge, over an OpenAI-compatible API. Without this section nothing is sent anywhere."""

    endpoint: str = Field(pattern="^https?://")  # up to and with /v1
    model: str = Field(min_length=1)
    provider: str = ""  # as the price list names it
    key: str = ""  # env:NAME or file:PATH
    rubric: Path  # a template, as those of messages
    use_cases: tuple[str, ...] = ()  # none: all
    per_day: int = Field(default=50, ge=1, le=10_000)  # calls of each use case
    cap_per_day: Decimal = Field(gt=0)  # of all use cases together
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    max_output_tokens: int = Field(default=300, ge=16, le=100_000)
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # as the endpoint calls it
    timeout_s: float = Field(default=60.0, gt=0, le=600)


class RetrainingAction(_Section):
    """Something that starts a retraining; a plan names it. Commands stand here, never in a plan."""

    name: str = Field(min_length=1)
    type: Literal["webhook", "github", "command"]
    url: str | None = Field(default=None, pattern="^https?://")
    secret: str | None = None  # env:NAME or file:PATH
    repository: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    event_type: str | None = None
    token: str | None = None  # env:NAME or file:PATH
    api: str | None = Field(default=None, pattern="^https?://")  # of GitHub Enterprise
    command: tuple[str, ...] | None = None  # a program and its arguments; no shell reads them
    timeout_s: float | None = Field(default=None, gt=0, le=3600)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        needed, more = _KEYS_OF_ACTION[self.type]
        given = {key for key in type(self).model_fields if getattr(self, key)} - {"name", "type", "timeout_s"}
        if wrong := sorted(given - {*needed, *more}):
            raise ValueError(
                f"a {self.type} action has no {wrong[0]!r}: its own keys are {', '.join((*needed, *more))}"
            )
        if missing := [key for key in needed if key not in given]:
            raise ValueError(f"a {self.type} action needs {missing[0]!r}")
        return self


_KEYS_OF_ACTION: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {  # needed, and further
    "webhook": (("url",), ("secret",)),
    "github": (("repository", "event_type", "token"), ("api",)),
    "command": (("command",), ()),
}


class ReportSection(_Section):
    """When the week's report is mailed. Without this section it is not."""

    day: Weekday
    time: time
    zone: str = "UTC"  # such as Europe/Berlin
    channels: tuple[str, ...] = ()  # of type smtp; none: all of them

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, said: str) -> str:
        if said not in available_timezones():
            raise ValueError(f"expected a time zone such as Europe/Berlin, got {said!r}")
        return said


class DeadManSection(_Section):
    """Something outside that is told after each round of evaluation, and raises the alarm when it no longer is."""

    url: str = Field(
        pattern="^(https?://|env:|file:)", description="env:NAME or file:PATH, or the address itself; it is posted to"
    )
    timeout_s: float = Field(default=10.0, gt=0, le=60)


class AccessSection(_Section):
    """Who may use the API and its pages, beyond whoever can reach them."""

    login: Literal["none", "keys", "proxy"] = Field(
        default="none", description="keys: with an access key; proxy: as the proxy before it says, or with a key"
    )
    header: str = Field(
        default="X-Forwarded-User", pattern=r"^[A-Za-z0-9-]+$", description="by which the proxy says who"
    )
    proxies: tuple[IPvAnyNetwork, ...] = Field(
        default=(IPv4Network("127.0.0.1/32"), IPv6Network("::1/128")), description="whose header is believed"
    )
    roles: dict[str, Role] = Field(default_factory=dict, description="by name as the header says; * of everybody else")

    peer_secret: str = Field(
        default="",
        pattern="^(|env:.+|file:.+)$",
        description="env:NAME or file:PATH; what a console shows to the evaluator when a person sets a guard",
    )

    @model_validator(mode="after")
    def _knows_somebody(self) -> Self:
        if self.login == "proxy" and not self.roles:
            raise ValueError("login: proxy needs roles, such as roles: {ana@example.com: admin, '*': viewer}")
        return self


class TocsinYaml(_Section):
    """All of tocsin.yaml."""

    data_dir: Path | None = None
    clock: Clock | None = None
    insecure: bool | None = None
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#@]+/?$",
        description="where people reach the API, by a proxy that signs them in",
    )
    access: AccessSection = AccessSection()
    store: StoreSection = StoreSection()
    listen: ListenSection = ListenSection()
    collector: CollectorSection = CollectorSection()
    tls: TlsSection = TlsSection()
    ingest_keys: IngestKeys | None = None
    limits: LimitsSection = LimitsSection()
    redact: tuple[RedactSection, ...] = ()
    prices: tuple[PriceSection, ...] = ()
    judge: JudgeSection | None = None
    retraining_actions: tuple[RetrainingAction, ...] = ()
    report: ReportSection | None = None
    dead_man: DeadManSection | None = None
    max_disk: str | int | None = None  # such as 50GB
    channels: tuple[Channel, ...] = ()
    maintenance: tuple[Window, ...] = ()
    inhibit: tuple[Inhibition, ...] = ()  # beside the shipped ones
    grouping: Grouping = Grouping()
    use_case_map: tuple[UseCaseMapping, ...] = ()
    use_cases: Path | None = None  # folder of plans
    rules: Path | None = None  # folder of rules beside the shipped ones
    templates: Path | None = None  # folder of templates that override the shipped ones

    @field_validator("redact")
    @classmethod
    def _has_names_once(cls, said: tuple[RedactSection, ...]) -> tuple[RedactSection, ...]:
        names = [each.rule().name for each in said]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each name once, got {', '.join(twice)} more often")
        return said

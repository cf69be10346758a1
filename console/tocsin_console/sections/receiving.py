"""Where tocsin listens, whom it lets in, and how much of what they send is kept."""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, IPvAnyNetwork, model_validator

from tocsin_collector.privacy.redaction import PRESETS, Redaction
from tocsin_console.access.roles import Role
from tocsin_console.sections.section import Section

IngestKeys = Literal["required", "optional"]


class CollectorSection(Section):
    """One of several collectors over a store, and where the verbs find one."""

    name: str | None = Field(default=None, min_length=1)
    """Name of this collector among several over one server; left out, host name and a hash of the data folder."""
    api: str | None = Field(default=None, min_length=1)
    """Address of a collector's API, or of a name that stands for all of them: an evaluator or a console passes on to it what people score and label; left out, they take none."""
    address: str | None = Field(default=None, min_length=1)
    """Where `outcomes load` and `review` send to, such as `http://collector-1:4317`; left out, to the API that answers."""
    drain_s: float = Field(default=10.0, ge=0, le=3600)
    """Seconds for which an ending collector loads what it has; the rest waits in its spool."""
    spool_max: str | int | None = None
    """Size of what may wait for the store, such as `60GB`; beyond it senders are asked to wait; left out, `4GiB`."""


class ListenSection(Section):
    """The addresses that ``tocsin up`` listens on; other than loopback is refused without what security.md says of each."""

    grpc: str | None = None
    """OTLP over gRPC, and outcomes; left out, `127.0.0.1:4317`."""
    http: str | None = None
    """OTLP over HTTP, protobuf or JSON; left out, `127.0.0.1:4318`; `off` ends it."""
    api: str | None = None
    """API, pages, `/metrics` and `/healthz`; left out, `127.0.0.1:8317`."""
    guard: str | None = None
    """flagd's sync protocol, by which services hear of the guard; left out, `127.0.0.1:8015`."""
    clickhouse: str | None = None
    """ClickHouse's HTTP interface of the embedded engine, to read by; left out, `127.0.0.1:8123`; `off` ends it."""
    clickhouse_password: str = ""
    """Password of its user `default`, as `env:NAME` or `file:PATH`; left out, there is none."""


class TlsSection(Section):
    """The certificate that receivers and the guard show, and whose clients are let in; read again when the files change."""

    certificate: Path | None = None
    """PEM file: the listener's own certificate first, then its issuers; left out, receivers speak in the clear."""
    private_key: Path | None = None
    """PEM file of its key, without a password."""
    client_ca: Path | None = None
    """PEM file of the authority without whose certificate no client is let in; left out, clients need none."""

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("a certificate needs its private_key, and the key its certificate: give both")
        if self.client_ca and not self.certificate:
            raise ValueError("client_ca needs a certificate and private_key of our own: give all three")
        return self


class AccessSection(Section):
    """Who may use the API and its pages, beyond whoever can reach them."""

    login: Literal["none", "keys", "proxy"] = "none"
    """`none`: whoever reaches it may do everything; `keys`: with an access key; `proxy`: as the proxy before it says, or with a key."""
    header: str = Field(default="X-Forwarded-User", pattern=r"^[A-Za-z0-9-]+$")
    """Header by which the proxy says who; it must overwrite what a browser sends under this name."""
    proxies: tuple[IPvAnyNetwork, ...] = (IPv4Network("127.0.0.1/32"), IPv6Network("::1/128"))
    """Networks whose header is believed."""
    roles: dict[str, Role] = Field(default_factory=dict)
    """Role of each name that the header says; `*` is everybody else, and without it they may do nothing."""
    peer_secret: str = Field(default="", pattern="^(|env:.+|file:.+)$")
    """What parts on different machines show each other, as `env:NAME` or `file:PATH`: a console to the evaluator when a person sets a guard, both to a collector when somebody scores; left out, nothing."""

    @model_validator(mode="after")
    def _knows_somebody(self) -> Self:
        if self.login == "proxy" and not self.roles:
            raise ValueError("login: proxy needs roles, such as roles: {ana@example.com: admin, '*': viewer}")
        return self


class LimitsSection(Section):
    """How much of what senders send is kept."""

    max_value_bytes: int = Field(default=64 * 1024, ge=1024)
    """Bytes of one attribute's value or message; what is longer is cut, marked and counted."""
    keep_long_values: bool = False
    """true: nothing is cut on arrival, and long outputs stand whole in `call_content`."""
    max_attributes: int = Field(default=4096, ge=1)
    """Attributes of one span, log record, resource or scope; further ones are dropped and counted."""


class RedactSection(Section):
    """One rule of what is taken out of texts before they are stored: a shipped one by name, or a pattern."""

    preset: str | None = None
    """A shipped rule; written as its name alone where nothing else is said."""
    name: str | None = None
    """Name of a rule of your own; `[redacted:NAME]` stands where it found something."""
    pattern: str | None = None
    """What is taken out, as RE2 reads it."""
    luhn: bool | None = None
    """true: only digits that pass the Luhn check, as card numbers do; left out, false."""
    fields: tuple[str, ...] = ()
    """Attributes that it reads, with `*`; left out, every text."""

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


class UseCaseMapping(Section):
    """Names the use case of spans that do not say; an empty key matches everything but a project."""

    project: str = Field(default="default", min_length=1)
    """Project of the spans."""
    service: str = ""
    """Their `service.name`; left out, any, as of the next four keys."""
    span_name: str = ""
    """Their name."""
    route: str = ""
    """Their `http.route`."""
    function: str = ""
    """Their `code.function.name`."""
    model: str = ""
    """The call's model."""
    use_case: str = Field(min_length=1)
    """The use case that such spans belong to."""

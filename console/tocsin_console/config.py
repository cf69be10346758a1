"""What a command was told: flag over TOCSIN_* variable over tocsin.yaml over default."""

import hashlib
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import cast

from tocsin_alerts.grouping import IMMEDIATE, Grouping
from tocsin_alerts.inhibitions import SHIPPED, Inhibition
from tocsin_alerts.windows import Window
from tocsin_collector.correct.prices import AgreedPrice
from tocsin_collector.privacy.redaction import Redaction
from tocsin_collector.receive.tls import TlsFiles
from tocsin_collector.settings import SPOOL_LEAST_BYTES, SPOOL_MAX_BYTES
from tocsin_collector.store.retention import parse_period
from tocsin_collector.store.store_address import StoreAddress, StoreTls
from tocsin_console.addresses import Address
from tocsin_console.config_file import Clock, TocsinYaml
from tocsin_console.errors import UsageProblem
from tocsin_console.sections.acting import DeadManSection, ReportSection, RetrainingAction
from tocsin_console.sections.channel import Channel
from tocsin_console.sections.money import JudgeSection
from tocsin_console.sections.receiving import AccessSection, IngestKeys, LimitsSection, UseCaseMapping
from tocsin_console.variables import CONFIG, VARIABLES

FILE_NAME = "tocsin.yaml"
GRPC = "127.0.0.1:4317"
HTTP = "127.0.0.1:4318"
API = "127.0.0.1:8317"
GUARD = "127.0.0.1:8015"
CLICKHOUSE_HTTP = "127.0.0.1:8123"
OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the command line said; None where it said nothing."""

    config: Path | None = None
    data_dir: Path | None = None
    clock: str | None = None
    grpc: str | None = None
    http: str | None = None
    api: str | None = None
    guard: str | None = None
    clickhouse_http: str | None = None
    clickhouse: str | None = None
    insecure: bool | None = None
    max_disk: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings of one command, resolved."""

    file: Path | None  # the tocsin.yaml that was read
    data_dir: Path
    clock: Clock
    insecure: bool
    store_path: Path | None  # exactly one of path and url is set
    store_url: str | None
    store_password: str = field(repr=False)
    store: StoreAddress
    retention: Mapping[str, timedelta | None]  # of the tables that are named; None: for ever
    evidence: timedelta | None  # content of picked calls that nobody has reviewed
    reviewed_content: timedelta | None  # after the review; None: as its tables say
    collector_name: str
    spool_max_bytes: int  # of what may wait for the store
    drain_s: float  # so long an ending process loads what it has received
    collector_address: str | None  # where verbs send outcomes; None: to the API that answers
    database: str
    grpc: Address
    http: Address | None  # None: off
    api: Address
    public_url: str  # where people reach the API; empty: nowhere
    access: AccessSection
    collector_api: Address | None  # where an evaluator or a console passes outcomes on to
    peer_secret: str = field(repr=False)  # what tocsin's parts show each other; empty: nothing
    api_is_given: bool  # somebody named the address, so a run.json does not decide
    guard: Address
    clickhouse_http: Address | None  # None: off
    clickhouse_http_is_given: bool  # somebody named the address, so it must be had
    clickhouse_http_password: str
    tls: TlsFiles | None
    ingest_keys: IngestKeys
    limits: LimitsSection
    redactions: tuple[Redaction, ...]
    prices: tuple[AgreedPrice, ...]
    judge: JudgeSection | None
    retraining_actions: tuple[RetrainingAction, ...]
    report: ReportSection | None
    dead_man: DeadManSection | None
    max_disk_bytes: int | None
    channels: tuple[Channel, ...]
    maintenance: tuple[Window, ...]
    inhibitions: tuple[Inhibition, ...]
    grouping: Grouping
    use_case_map: tuple[UseCaseMapping, ...]
    use_cases_dir: Path
    rules_dir: Path
    templates_dir: Path

    @property
    def api_takes_any_host(self) -> bool:
        """Whether the API answers under every name: beyond loopback, where people sign in, it is reached by many."""
        return self.insecure or (self.access.login != "none" and not self.api.is_loopback)

    @property
    def folder(self) -> Path:
        """What relative names of files and commands in tocsin.yaml begin at: its own folder."""
        return self.file.parent if self.file else Path.cwd()

    @property
    def owner_file(self) -> Path:
        """The secret by which commands on this machine are known, where others have to sign in."""
        return self.data_dir / "owner.secret"

    @property
    def run_file(self) -> Path:
        """Where a running ``up`` says on which addresses it listens."""
        return self.data_dir / "run.json"


def resolve(flags: Flags, *, environment: Mapping[str, str], cwd: Path) -> Config:
    """Put flags, environment, file and defaults together.

    Raises:
        UsageProblem: a value is not one that can be used.
        TocsinError: the file does not read; the message names line and key.
    """
    file, said = _read_file(flags, environment, cwd)
    base = file.parent if file else cwd

    def pick(flag: str | None, variable: str, in_file: str | None, default: str) -> str:
        return flag or environment.get(variable) or in_file or default

    def folder(variable: str, in_file: Path | None, default: str) -> Path:
        told = environment.get(variable)
        return cwd / told if told else base / (in_file or default)

    data_dir = _data_dir(flags, environment, said, base=base, cwd=cwd, has_file=file is not None)
    urls = _urls(flags.clickhouse or environment.get(VARIABLES["store.url"]) or said.store.url)
    url = urls[0] if urls else None
    if said.store.url and said.store.path:
        raise UsageProblem(f"expected either store.path or store.url in {file}, got both: keep one")
    clock = pick(flags.clock, VARIABLES["clock"], said.clock, "wall")
    if clock not in {"wall", "data"}:
        raise UsageProblem(f"expected the clock to be wall or data, got {clock!r}")
    asked = pick(flags.clickhouse_http, VARIABLES["listen.clickhouse"], said.listen.clickhouse, CLICKHOUSE_HTTP)
    http = pick(flags.http, VARIABLES["listen.http"], said.listen.http, HTTP)
    store_path = None if url else base / (said.store.path or data_dir / "store")
    store = _store(said, environment, base=base, path=store_path, urls=urls)
    return Config(
        file=file,
        data_dir=data_dir,
        clock=cast(Clock, clock),
        insecure=_truth(flags.insecure, environment.get(VARIABLES["insecure"]), said.insecure),
        store_path=store_path,
        store_url=url,
        store_password=store.password,
        store=store,
        retention=_retention(said),
        evidence=_period(said.store.evidence, "store.evidence"),
        reviewed_content=_period(said.store.reviewed_content, "store.reviewed_content"),
        collector_name=_collector_name(said, environment, data_dir, is_alone=url is None),
        spool_max_bytes=_spool_max(said.collector.spool_max),
        drain_s=said.collector.drain_s,
        collector_address=environment.get(VARIABLES["collector.address"]) or said.collector.address,
        database=store.database,
        grpc=Address.parse(pick(flags.grpc, VARIABLES["listen.grpc"], said.listen.grpc, GRPC)),
        http=None if http.lower() == OFF else Address.parse(http),
        api=Address.parse(pick(flags.api, VARIABLES["listen.api"], said.listen.api, API)),
        public_url=_public_url(environment.get(VARIABLES["public_url"]) or said.public_url or ""),
        access=said.access,
        collector_api=_address(environment.get(VARIABLES["collector.api"]) or said.collector.api),
        peer_secret=environment.get(VARIABLES["access.peer_secret"])
        or secret(said.access.peer_secret, environment=environment, base=base, what="access.peer_secret"),
        api_is_given=bool(flags.api or environment.get(VARIABLES["listen.api"])),
        guard=Address.parse(pick(flags.guard, VARIABLES["listen.guard"], said.listen.guard, GUARD)),
        tls=_tls(said, environment, base=base, cwd=cwd),
        ingest_keys=_ingest_keys(said, environment),
        max_disk_bytes=_size(flags.max_disk or environment.get(VARIABLES["max_disk"]) or said.max_disk, "max_disk"),
        limits=said.limits,
        redactions=tuple(each.rule() for each in said.redact),
        prices=tuple(each.agreed() for each in said.prices),
        judge=said.judge,
        retraining_actions=said.retraining_actions,
        report=said.report,
        dead_man=said.dead_man,
        clickhouse_http=None if asked.lower() == OFF else Address.parse(asked),
        clickhouse_http_is_given=bool(
            flags.clickhouse_http or environment.get(VARIABLES["listen.clickhouse"]) or said.listen.clickhouse
        ),
        clickhouse_http_password=environment.get(VARIABLES["listen.clickhouse_password"])
        or secret(
            said.listen.clickhouse_password, environment=environment, base=base, what="listen.clickhouse_password"
        ),
        channels=said.channels,
        maintenance=said.maintenance,
        inhibitions=(*SHIPPED, *said.inhibit),
        grouping=said.grouping if clock == "wall" else IMMEDIATE,  # a day of data lasts seconds
        use_case_map=said.use_case_map,
        use_cases_dir=folder(VARIABLES["use_cases"], said.use_cases, "use_cases"),
        rules_dir=folder(VARIABLES["rules"], said.rules, "rules"),
        templates_dir=folder(VARIABLES["templates"], said.templates, "templates"),
    )


def secret(reference: str, *, environment: Mapping[str, str], base: Path, what: str) -> str:
    """Follow a reference to a secret: ``env:NAME`` or ``file:PATH``; empty stays empty.

    Raises:
        UsageProblem: it is no reference, or leads nowhere.
    """
    if not reference:
        return ""
    kind, _, rest = reference.partition(":")
    if kind == "env" and rest:
        if rest not in environment:
            raise UsageProblem(f"expected {what} in the environment variable {rest}, which is not set: export it")
        return environment[rest]
    if kind == "file" and rest:
        try:
            return (base / rest).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UsageProblem(f"expected {what} in the file {base / rest}: {error.strerror}") from error
    raise UsageProblem(f"expected {what} as env:NAME or file:PATH, so that no secret stands in {FILE_NAME}")


def _read_file(flags: Flags, environment: Mapping[str, str], cwd: Path) -> tuple[Path | None, TocsinYaml]:
    told = flags.config or (Path(environment[CONFIG]) if environment.get(CONFIG) else None)
    file = cwd / (told or FILE_NAME)
    if not file.is_file():
        if told:
            raise UsageProblem(f"expected a configuration file at {file}, found none")
        return None, TocsinYaml()
    from tocsin_alerts.documents import load

    return file, load(file, TocsinYaml)


def _data_dir(
    flags: Flags, environment: Mapping[str, str], said: TocsinYaml, *, base: Path, cwd: Path, has_file: bool
) -> Path:
    if told := flags.data_dir or environment.get(VARIABLES["data_dir"]):
        return cwd / told
    if said.data_dir:
        return base / said.data_dir
    if has_file:
        return base / "tocsin-data"
    shared = environment.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path(environment.get("HOME", "/")) / ".local" / "share") / "tocsin"


def _address(said: str | None) -> Address | None:
    return Address.parse(said) if said else None


def _public_url(said: str) -> str:
    if said and not re.fullmatch(r"https?://[^\s/?#@]+/?", said):
        raise UsageProblem(f"expected public_url as https://HOST, got {said!r}")
    return said.rstrip("/")


def _truth(flag: bool | None, variable: str | None, in_file: bool | None) -> bool:
    if flag is not None:
        return flag
    if variable:
        return variable.lower() not in {"0", "false", "no"}
    return bool(in_file)


def _tls(said: TocsinYaml, environment: Mapping[str, str], *, base: Path, cwd: Path) -> TlsFiles | None:
    def path(variable: str, in_file: Path | None) -> Path | None:
        told = environment.get(variable)
        return cwd / told if told else in_file and base / in_file

    certificate = path(VARIABLES["tls.certificate"], said.tls.certificate)
    private_key = path(VARIABLES["tls.private_key"], said.tls.private_key)
    client_ca = path(VARIABLES["tls.client_ca"], said.tls.client_ca)
    if certificate and private_key:
        return TlsFiles(certificate=certificate, private_key=private_key, client_ca=client_ca)
    if certificate or private_key or client_ca:
        raise UsageProblem(
            "expected a certificate and its private key (tls.certificate and tls.private_key, or TOCSIN_TLS_CERTIFICATE "
            "and TOCSIN_TLS_PRIVATE_KEY), got one without the other"
        )
    return None


def _ingest_keys(said: TocsinYaml, environment: Mapping[str, str]) -> IngestKeys:
    told = environment.get(VARIABLES["ingest_keys"]) or said.ingest_keys or "optional"
    if told not in {"required", "optional"}:
        raise UsageProblem(f"expected TOCSIN_INGEST_KEYS to be required or optional, got {told!r}")
    return cast(IngestKeys, told)


def _size(said: str | int | None, what: str) -> int | None:
    """Read a size such as 50GB, 1.5TB, 500MiB or a number of bytes."""
    if not said:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kKMGT]?)(i?)B?", str(said).strip())
    amount = (
        float(found[1]) * (1024 if found[3] else 1000) ** " kMGT".index(found[2].replace("K", "k") or " ")
        if found
        else 0
    )
    if amount < 1e6:
        raise UsageProblem(f"expected a size of at least 1MB for {what}, such as 50GB or 200GiB, got {said!r}")
    return int(amount)


def _spool_max(said: str | int | None) -> int:
    size = _size(said, "collector.spool_max") or SPOOL_MAX_BYTES
    if size < SPOOL_LEAST_BYTES:
        raise UsageProblem(f"expected collector.spool_max of at least 64MiB, which one segment takes, got {said!r}")
    return size


def _urls(told: str | tuple[str, ...] | None) -> tuple[str, ...]:
    listed = told.split(",") if isinstance(told, str) else told or ()
    return tuple(url.strip() for url in listed if url.strip())


def _store(
    said: TocsinYaml, environment: Mapping[str, str], *, base: Path, path: Path | None, urls: tuple[str, ...]
) -> StoreAddress:
    section = said.store

    def hidden(variable: str, reference: str, what: str) -> str:
        return environment.get(variable) or secret(reference, environment=environment, base=base, what=what)

    def under(file: Path | None) -> Path | None:
        return None if file is None else base / file

    try:
        return StoreAddress(
            path=path,
            url=urls[0] if urls else None,
            more_urls=urls[1:],
            user=environment.get(VARIABLES["store.user"]) or section.user,
            password=hidden(VARIABLES["store.password"], section.password, "store.password"),
            access_token=hidden(VARIABLES["store.token"], section.token, "store.token"),
            database=environment.get(VARIABLES["store.database"]) or section.database,
            cluster=environment.get(VARIABLES["store.cluster"]) or section.cluster,
            insert_quorum=str(section.insert_quorum),
            connect_timeout_s=section.connect_timeout_s,
            timeout_s=section.timeout_s,
            tls=StoreTls(
                ca=under(section.tls.ca),
                certificate=under(section.tls.certificate),
                private_key=under(section.tls.private_key),
                verify=section.tls.verify,
            ),
        )
    except ValueError as error:
        raise UsageProblem(f"store: {error}") from error


def _retention(said: TocsinYaml) -> dict[str, timedelta | None]:
    try:
        return {table: parse_period(period) for table, period in said.store.retention.items()}
    except ValueError as error:
        raise UsageProblem(f"store.retention: {error}") from error


def _period(text: str, key: str) -> timedelta | None:
    try:
        return parse_period(text)
    except ValueError as error:
        raise UsageProblem(f"{key}: {error}") from error


def _collector_name(said: TocsinYaml, environment: Mapping[str, str], data_dir: Path, *, is_alone: bool) -> str:
    told = environment.get(VARIABLES["collector.name"]) or said.collector.name
    if told or is_alone:
        return told or "collector"
    return f"{socket.gethostname()}-{hashlib.blake2b(str(data_dir.absolute()).encode(), digest_size=4).hexdigest()}"

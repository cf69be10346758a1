"""What the SDK was told: arguments first, then the environment, then defaults. Read once, by `init`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from tocsin._process.boundary import MISHAPS
from tocsin_wire.attributes import GUARD_STATES

if TYPE_CHECKING:
    from tocsin._privacy.settings import Privacy

_MIB: Final = 1024 * 1024
DEFAULT_ENDPOINT: Final = "http://127.0.0.1:4317"
DEFAULT_GUARD_ENDPOINT: Final = "127.0.0.1:8015"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A gRPC server."""

    target: str  # host:port, as gRPC wants it
    secure: bool  # TLS; never on an http:// or bare address
    files: "TlsFiles | None" = None  # None: the authorities of the system, and no certificate of our own


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files by OpenTelemetry's variables; empty where none was given."""

    authority: str = ""  # whom we trust to name the server
    client_certificate: str = ""
    client_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The SDK's settings, whole."""

    disabled: bool = False
    offline: bool = False  # record, but connect to nothing: in tests
    service_name: str | None = None
    use_case: str | None = None  # for calls that name none
    endpoint: str = DEFAULT_ENDPOINT
    outcomes: Address = Address(target="127.0.0.1:4317", secure=False)
    guard: Address = Address(target=DEFAULT_GUARD_ENDPOINT, secure=False)
    guard_cache: str | None = None  # file in which the last known guard states outlive the process
    guard_fail_mode: str | None = None  # at least this careful while the guard's server is unreachable
    headers: tuple[tuple[str, str], ...] = ()
    spans: Address = Address(target="127.0.0.1:4317", secure=False)  # what `endpoint` says, as gRPC wants it
    span_headers: tuple[tuple[str, str], ...] = ()  # `headers`, or what OpenTelemetry says for spans alone
    timeout_s: float = 10.0  # of one request of spans
    compression: str = ""  # of requests: gzip, deflate or none
    max_queue_size: int = 65_536  # spans that wait; above it, new ones are dropped and counted
    max_queue_bytes: int = 128 * _MIB  # that they hold, about
    buffer_dir: str | None = None  # folder in which spans and outcomes outlive the process
    buffer_bytes: int = 512 * _MIB  # of all files in it
    schedule_delay_ms: int = 100  # how long a first span waits for company, unless a batch is full or a flush asked for
    block_when_full_s: float = 0.0  # how long a span may wait for room; 0 never slows the host
    privacy: "Privacy | None" = None  # None: what the environment says, read when the first call asks

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        service_name: str | None = None,
        use_case: str | None = None,
        endpoint: str | None = None,
        guard_endpoint: str | None = None,
        guard_cache: str | None = None,
        guard_fail_mode: str | None = None,
        headers: Mapping[str, str] | None = None,
        max_queue_size: int | None = None,
        block_when_full_s: float = 0.0,
        buffer_dir: str | None = None,
        privacy: "Privacy | None" = None,
    ) -> "Settings":
        """Fill in from the environment what the arguments leave open."""
        named = endpoint or environ.get("TOCSIN_ENDPOINT")  # OpenTelemetry's own may be another backend's
        base = named or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_ENDPOINT
        traces = named or environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or base
        guard = guard_endpoint or environ.get("TOCSIN_GUARD_ENDPOINT") or DEFAULT_GUARD_ENDPOINT
        key = environ.get("TOCSIN_KEY", "").strip()
        sent = tuple((key.lower(), value) for key, value in (headers or {}).items()) or _headers(
            environ.get("TOCSIN_HEADERS") or environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
        )
        return cls(
            disabled=environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true",
            service_name=service_name or environ.get("TOCSIN_SERVICE_NAME") or None,
            use_case=use_case or environ.get("TOCSIN_USE_CASE") or None,
            endpoint=traces if "://" in traces else f"http://{traces}",
            outcomes=address(environ.get("TOCSIN_OUTCOMES_ENDPOINT") or base, _files(environ)),
            guard=address(guard, _files(environ)),
            guard_cache=guard_cache or environ.get("TOCSIN_GUARD_CACHE") or None,
            guard_fail_mode=_guard_state(guard_fail_mode or environ.get("TOCSIN_GUARD_FAIL_MODE") or None),
            headers=_with_key(sent, key),
            spans=_spans_address(traces, environ),
            span_headers=_with_key(sent or _headers(environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "")), key),
            timeout_s=_number("TIMEOUT", _otlp(environ, "TIMEOUT"), 10.0),
            compression=_otlp(environ, "COMPRESSION").lower(),
            max_queue_size=max_queue_size
            or int(_number("QUEUE_SIZE", environ.get("OTEL_BSP_MAX_QUEUE_SIZE", ""), 65_536)),
            schedule_delay_ms=int(_number("SCHEDULE_DELAY", environ.get("OTEL_BSP_SCHEDULE_DELAY", ""), 100)),
            block_when_full_s=block_when_full_s,
            max_queue_bytes=int(_number("QUEUE_BYTES", environ.get("TOCSIN_QUEUE_BYTES", ""), 128 * _MIB)),
            buffer_dir=buffer_dir or environ.get("TOCSIN_BUFFER_DIR") or None,
            buffer_bytes=int(_number("BUFFER_BYTES", environ.get("TOCSIN_BUFFER_BYTES", ""), 512 * _MIB)),
            privacy=privacy,
        )


def address(endpoint: str, files: TlsFiles | None = None) -> Address:
    """Read ``https://host:port``, ``http://host:port`` or ``host:port``."""
    if "://" not in endpoint:
        return Address(target=endpoint, secure=False)
    parts = urlsplit(endpoint)
    secure = parts.scheme == "https"
    return Address(target=parts.netloc, secure=secure, files=files if secure else None)


def _guard_state(written: str | None) -> str | None:
    if written is None or written in GUARD_STATES:
        return written
    # Said and left out: to send nothing at all would be the worse answer.
    expected = f"expected a guard fail mode out of {', '.join(GUARD_STATES)}, got {written!r}"
    MISHAPS.note("init.guard_fail_mode", ValueError(expected))
    return None


def _files(environ: Mapping[str, str], signal: str = "") -> TlsFiles | None:
    """Read the variables that OpenTelemetry's own exporter reads."""

    def said(name: str) -> str:
        return environ.get(f"OTEL_EXPORTER_OTLP_{signal}{name}") or environ.get(f"OTEL_EXPORTER_OTLP_{name}", "")

    files = TlsFiles(
        authority=said("CERTIFICATE"), client_certificate=said("CLIENT_CERTIFICATE"), client_key=said("CLIENT_KEY")
    )
    return files if files != TlsFiles() else None


def _spans_address(endpoint: str, environ: Mapping[str, str]) -> Address:
    return address(endpoint, _files(environ, "TRACES_"))


def _otlp(environ: Mapping[str, str], name: str) -> str:
    """Read one of OpenTelemetry's variables for spans, else the one for all signals."""
    said = environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or environ.get(f"OTEL_EXPORTER_OTLP_{name}", "")
    return said.strip()


def _number(name: str, written: str, default: float) -> float:
    try:
        number = float(written or default)
    except ValueError:
        number = 0.0
    if number > 0:
        return number
    MISHAPS.note(f"init.{name.lower()}", ValueError(f"expected a number above 0, got {written!r}; {default:g} it is"))
    return default


def _headers(written: str) -> tuple[tuple[str, str], ...]:
    """Read OTEL_EXPORTER_OTLP_HEADERS: ``key=value`` pairs with commas between, percent-encoded as in W3C baggage."""
    pairs = (pair.partition("=") for pair in written.split(",") if "=" in pair)
    return tuple((unquote(key.strip()).lower(), unquote(value.strip())) for key, _, value in pairs)


def _with_key(headers: tuple[tuple[str, str], ...], key: str) -> tuple[tuple[str, str], ...]:
    """Show the ingest key with every request, unless a header says who sends already."""
    if not key or any(name in {"authorization", "x-tocsin-key"} for name, _ in headers):
        return headers
    return (*headers, ("authorization", f"Bearer {key}"))

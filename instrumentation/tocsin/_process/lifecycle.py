"""Start, flush, stop: `init`, `flush`, `shutdown`, `stats`, and what happens at exit, on SIGTERM and after a fork."""

import atexit
import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.hosts import flush_with_hosts
from tocsin._process.runtime import Runtime, install, runtime
from tocsin._process.settings import Settings
from tocsin._process.sigterm import UNINTERRUPTED, flush_on_sigterm
from tocsin_wire.version import version

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter

    from tocsin._privacy.settings import Privacy
    from tocsin._process.providers import Membership, StandIn

_LOGGER: Final = logging.getLogger("tocsin")
EXIT_TIMEOUT_S: Final = 5.0  # that an end waits while nothing is acknowledged
_EXIT_MOST_S: Final = 20.0  # and while something is: what waits for a process's end gives it thirty
_SECOND_CHANCE_S: Final = 1.0
_SPAN_ATTRIBUTES: Final = 512  # OpenTelemetry's 128 would drop what names a call with many inputs and classes
_IN_INIT: Final = Swallow("init")
_IN_FLUSH: Final = Swallow("flush")
_lock: Final = threading.RLock()


def init(
    *,
    service_name: str | None = None,
    endpoint: str | None = None,
    clock: Callable[[], int] | None = None,
    resource: "Mapping[str, Any] | Resource | None" = None,
    use_case: str | None = None,
    guard_endpoint: str | None = None,
    guard_cache: str | None = None,
    guard_fail_mode: str | None = None,
    headers: Mapping[str, str] | None = None,
    max_queue_size: int | None = None,
    block_when_full_s: float = 0.0,
    buffer_dir: str | None = None,
    span_exporter: "SpanExporter | None" = None,
    capture: str | Mapping[str, str] | None = None,
    redact: Iterable[Any] = (),
    hash: Iterable[str] | str = (),  # noqa: A002 - what it does; nothing here needs the built-in
    hash_salt: str | None = None,
    review_share: float | None = None,
    example_share: float | None = None,
    max_content_chars: int | None = None,
) -> None:
    """Start sending spans. A second call changes nothing until `shutdown`.

    Joins the tracer provider the host has set or sets later; until then one of ours stands in. Nothing connects before the first span ends.

    Args:
        service_name: ``service.name``; else OTEL_SERVICE_NAME. An existing provider keeps its own.
        endpoint: OTLP/gRPC; else OTEL_EXPORTER_OTLP_ENDPOINT, else http://127.0.0.1:4317. http:// is plain, https:// TLS.
        clock: Nanoseconds since 1970, UTC, for the start and end of calls: another one replays history.
        resource: Further resource attributes.
        use_case: The use case of calls that name none.
        guard_endpoint: The guard's flag stream; else TOCSIN_GUARD_ENDPOINT, else 127.0.0.1:8015.
        guard_cache: File in which the last known guard states outlive the process; else TOCSIN_GUARD_CACHE, else none.
        guard_fail_mode: At least this guard state while the guard's server is unreachable, whatever was last known; else
            TOCSIN_GUARD_FAIL_MODE, else as the plan last said.
        headers: Sent with every request, such as the ingest key; else OTEL_EXPORTER_OTLP_HEADERS.
        max_queue_size: Spans that may wait; above it new ones are dropped and counted. 65,536 by default.
        block_when_full_s: How long a span may wait for room in a full queue; 0 never slows the host.
        buffer_dir: Folder in which spans and outcomes outlive the process and an outage; else TOCSIN_BUFFER_DIR, else none.
        span_exporter: Another exporter in place of OTLP.
        capture: What may leave of calls: off, features, sampled (the default: features, and redacted content of the few
            picked for review), redacted or full; or by use case, ``{"triage": "full", "default": "features"}``; else
            TOCSIN_CAPTURE.
        redact: Rules beside the shipped ones, as (name, pattern) or mappings; ``"-phone"`` leaves a shipped one out.
        hash: Input fields or attribute keys whose values leave as keyed hashes.
        hash_salt: The hashes' key, as ``env:NAME`` or ``file:PATH``; without one such values are left out.
        review_share: The share of calls picked for review, 0.02 by default.
        example_share: The share picked as examples for alerts, 0.01 by default.
        max_content_chars: Characters of one text, 8,192 by default; what is longer is cut and marked.
    """
    with _IN_INIT, _lock:
        if runtime().started:
            return
        settings = Settings.read(
            os.environ,
            service_name=service_name,
            use_case=use_case,
            endpoint=endpoint,
            guard_endpoint=guard_endpoint,
            guard_cache=guard_cache,
            guard_fail_mode=guard_fail_mode,
            headers=headers,
            max_queue_size=max_queue_size,
            block_when_full_s=block_when_full_s,
            buffer_dir=buffer_dir,
            privacy=_read_privacy(
                capture=capture,
                redact=redact,
                hashed=hash,
                hash_salt=hash_salt,
                review_share=review_share,
                example_share=example_share,
                max_content_chars=max_content_chars,
            ),
        )
        if settings.disabled:
            install(Runtime(settings, clock=time.time_ns if clock is None else clock, started=True))
            return
        from tocsin._genai.enabling import enable
        from tocsin._guards.fallback import declared
        from tocsin._process.zero_code import generative
        from tocsin._sending.buffer import open_journal
        from tocsin._sending.delivery import Delivery

        journal = open_journal(settings, "spans") if span_exporter is None else None
        delivery = Delivery(settings, exporter=span_exporter, journal=journal)
        from tocsin._process.providers import Membership

        _Ours.membership = Membership(
            delivery,
            endpoint=None if span_exporter is not None else settings.endpoint,
            make_own=lambda: _own_provider(settings, resource),
            moved=lambda there: runtime().move(there),
        )
        provider = _Ours.membership.join()
        made = Runtime(
            settings,
            clock=time.time_ns if clock is None else clock,
            provider=provider,
            delivery=delivery,
            started=True,
        )
        made.take_over(runtime())
        install(made)
        declared(made)
        enable(generative(os.environ))
        _at_exit()
        _at_exit_of_worker()
        _load_what_calls_need(buffered=settings.buffer_dir is not None)
        delivery.start()
        if settings.buffer_dir is not None:
            made.outcomes.lane.start()


def flush(timeout_s: float = 10.0) -> bool:
    """Wait until every span ended and every outcome recorded so far is acknowledged; false when one was not in time."""
    with _IN_FLUSH:
        until = time.monotonic() + timeout_s
        now = runtime()
        spans = now.delivery is None or now.delivery.flush(timeout_s)
        outcomes = not now.has_outcomes or now.outcomes.flush(max(0.0, until - time.monotonic()))
        return spans and outcomes
    return False


def shutdown(timeout_s: float = EXIT_TIMEOUT_S) -> None:
    """Flush, then stop; `init` may start anew."""
    _close(timeout_s, timeout_s, may_start_threads=True)
    with _IN_FLUSH:
        if _Ours.membership is not None:
            from tocsin._genai.enabling import disable

            disable()
            _Ours.membership.leave()
            _Ours.membership = None
    install(None)


def stats() -> Mapping[str, int]:
    """Count what became of spans and outcomes, and what was swallowed, in this process since `init`."""
    counts = {f"swallowed.{where}": count for where, count in sorted(MISHAPS.counts().items())}
    counts["swallowed"] = sum(counts.values())
    now = runtime()
    if now.delivery is not None:
        counts |= now.delivery.counts()
    if now.flags is not None:
        counts |= {"guard_probes": now.flags.probes.started, "guard_probes_dropped": now.flags.probes.dropped}
    if now.has_outcomes:
        outcomes = now.outcomes.tally
        counts |= {
            "outcomes_queued": now.outcomes.waiting(),
            "outcomes_sent": outcomes.sent,
            "outcomes_rejected": outcomes.rejected,
            "outcomes_dropped": outcomes.dropped,
            "outcomes_recovered": now.outcomes.lane.books.recovered,
        }
    return counts


def _load_what_calls_need(*, buffered: bool) -> None:
    """Import now what the first call would: where that is in a thread beside a fork, the child would wait for it for ever."""
    importlib.import_module("tocsin._sending.starters")
    if buffered:
        importlib.import_module("tocsin._privacy.outcomes")
        importlib.import_module("tocsin_wire.v1.outcomes_pb2")
    version()


def _read_privacy(**said: Any) -> "Privacy":
    from tocsin._privacy.settings import Privacy

    privacy = Privacy.read(os.environ, **said)
    if privacy.problem:
        _LOGGER.error(
            "tocsin: %s; until that is mended, no text that may hold content leaves this process", privacy.problem
        )
    return privacy


def _own_provider(settings: Settings, resource: "Mapping[str, Any] | Resource | None") -> "StandIn":
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanLimits

    from tocsin._process.providers import StandIn

    extra = dict(resource.attributes if isinstance(resource, Resource) else resource or {})
    if settings.service_name:
        extra["service.name"] = settings.service_name
    return StandIn(
        Resource.create(extra),
        None if "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" in os.environ else SpanLimits(max_span_attributes=_SPAN_ATTRIBUTES),
    )


class _Ours:
    """What outlives one run of tocsin in this process, and our part in its tracing."""

    membership: "Membership | None" = None
    registered = False


def _at_exit() -> None:
    if _Ours.registered:
        return
    _Ours.registered = True
    atexit.register(lambda: _close(_EXIT_MOST_S, EXIT_TIMEOUT_S, may_start_threads=False))
    # By the time of exit handlers, thread pools are shut, and the exporter's modules make one while they load.
    before_exit = getattr(threading, "_register_atexit", None)
    if before_exit is not None:
        before_exit(_prepare_for_exit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork)
    flush_on_sigterm(_flush_at_end, within_s=_EXIT_MOST_S + 1)
    flush_with_hosts(_flush_at_end)


def _prepare_for_exit() -> None:
    with _IN_FLUSH:
        delivery = runtime().delivery
        if delivery is not None:
            delivery.prepare_for_exit()


def _flush_at_end() -> None:
    """Flush, however long it takes while something is acknowledged."""
    with _IN_FLUSH:
        now = runtime()
        until = time.monotonic() + _EXIT_MOST_S
        flushed = now.delivery is None or now.delivery.flush(_EXIT_MOST_S, stalled_s=EXIT_TIMEOUT_S)
        if now.has_outcomes:
            now.outcomes.flush(
                max(0.0, until - time.monotonic()), stalled_s=_stalled_s(EXIT_TIMEOUT_S, flushed=flushed)
            )


def _close(timeout_s: float, stalled_s: float, *, may_start_threads: bool) -> None:
    with _IN_FLUSH:
        now = runtime()
        until = time.monotonic() + timeout_s
        closed = now.delivery is None or now.delivery.close(
            timeout_s, stalled_s=stalled_s, may_start_threads=may_start_threads
        )
        if now.has_outcomes:
            now.outcomes.close(
                max(0.0, until - time.monotonic()),
                stalled_s=_stalled_s(stalled_s, flushed=closed),
                may_start_threads=may_start_threads,
            )
        if now.flags is not None:
            now.flags.stop()


def _stalled_s(stalled_s: float, *, flushed: bool) -> float:
    """Spend the whole patience once: a collector that takes no spans as a rule takes no outcomes."""
    return stalled_s if flushed else min(stalled_s, _SECOND_CHANCE_S)


def _before_fork() -> None:
    with _IN_INIT:
        runtime().before_fork()


def _after_fork_in_parent() -> None:
    with _IN_INIT:
        runtime().after_fork_in_parent()


def _after_fork() -> None:
    with _IN_INIT:
        MISHAPS.forget()
        UNINTERRUPTED.start_over()
        runtime().after_fork()
        # Children of multiprocessing, and of Celery's, skip exit handlers and run finalizers of their own.
        if (processes := sys.modules.get("multiprocessing.util")) is not None:
            processes.register_after_fork(_Ours, _finalize)


def _at_exit_of_worker() -> None:
    """Where `init` is called in a process that multiprocessing made: it is past the moment at which it runs what was registered."""
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None and "multiprocessing.util" in sys.modules:
        _finalize(None)


def _finalize(_: object) -> None:
    processes = sys.modules["multiprocessing.util"]
    within = (_EXIT_MOST_S, EXIT_TIMEOUT_S)
    processes.Finalize(None, _close, args=within, kwargs={"may_start_threads": True}, exitpriority=1)

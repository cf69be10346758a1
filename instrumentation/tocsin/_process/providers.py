"""Whose tracer provider it is: the host's where it has one, before us or after us, else ours until the host brings its own.

OpenTelemetry lets a process set its provider once. Ours must never be the one that counts, or a host that sets its own a
line later would lose its tracing. So ours stands in without using up that once, and gives way when the host's comes.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, Tracer, TracerProvider
from opentelemetry.util._once import Once

from tocsin._genai.processor import Completing
from tocsin._process.boundary import Swallow

if TYPE_CHECKING:
    from opentelemetry.trace import Span

HOST_SHUTDOWN_TIMEOUT_S: Final = 5.0
_OTLP_GRPC: Final = 4317
_OTLP_HTTP: Final = 4318
_LOGGER: Final = logging.getLogger("tocsin")
_IN_PROVIDER: Final = Swallow("provider")


class StandIn(TracerProvider):
    """Our own provider: OpenTelemetry's, whose tracers pass on to the host's provider once there is one.

    A module of the host's that asked for its tracer before the host set its provider would otherwise keep ours for good.
    """

    def __init__(self, resource: Resource, span_limits: SpanLimits | None) -> None:
        # Its end is ours to time: our own exit handler is bounded.
        super().__init__(resource=resource, shutdown_on_exit=False, span_limits=span_limits)
        self.successor: trace.TracerProvider | None = None

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        """Return a tracer that follows us to our successor."""
        if self.successor is not None:
            return self.successor.get_tracer(*args, **kwargs)
        tracer = super().get_tracer(*args, **kwargs)
        if (
            type(tracer) is Tracer
        ):  # the provider keeps it, with its resource renewed after a fork, so it stays this object
            tracer.__class__ = _Following
            tracer.__dict__["_follows"] = self, args, kwargs
        return tracer


class _Following(Tracer):
    """A tracer of ours until the provider has a successor, then the successor's."""

    def start_span(self, *args: Any, **kwargs: Any) -> "Span":
        """Start it where spans are made now."""
        provider, asked, named = self.__dict__["_follows"]
        successor = provider.successor
        if successor is None:
            return super().start_span(*args, **kwargs)
        of, theirs = self.__dict__.get("_theirs", (None, None))
        if of is not successor:
            theirs = successor.get_tracer(*asked, **named)
            self.__dict__["_theirs"] = successor, theirs
        span: Span = theirs.start_span(*args, **kwargs)
        return span


class Attached(SpanProcessor):
    """Our delivery in the host's provider: it hears every span, and outlives the provider's shutdown.

    A host that shuts its provider down, to flush before a fork or at a test's end, has not asked tocsin to stop. Where an
    exporter of the host's own already sends to our collector, it is the only one: every call would arrive twice.
    """

    def __init__(
        self,
        delivery: SpanProcessor,
        provider: Any,
        endpoint: str | None = None,
        on_shutdown: Callable[[], None] | None = None,
    ) -> None:
        self._delivery = delivery
        self._provider = provider
        self._endpoint = endpoint
        self._on_shutdown = on_shutdown
        self._neighbours: Any = None  # as they were when we last looked
        self._steps_back = False

    def on_end(self, span: ReadableSpan) -> None:
        neighbours = _neighbours(self._provider)
        if neighbours is not self._neighbours:
            with _IN_PROVIDER:
                self._look_at(neighbours)
        if not self._steps_back:
            self._delivery.on_end(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._delivery.force_flush(timeout_millis)

    def shutdown(self) -> None:
        with _IN_PROVIDER:
            self._delivery.force_flush(round(HOST_SHUTDOWN_TIMEOUT_S * 1e3))
            if self._on_shutdown is not None:
                self._on_shutdown()

    def _look_at(self, neighbours: Any) -> None:
        self._neighbours = neighbours
        there = self._endpoint is not None and any(_sends_to(one, self._endpoint) for one in neighbours or ())
        if there and not self._steps_back:
            _LOGGER.warning(
                "tocsin: the application's own exporter already sends its spans to %s, so tocsin sends none there; "
                "for tocsin's delivery take that exporter out (OTEL_TRACES_EXPORTER=none), for another collector set "
                "TOCSIN_ENDPOINT",
                self._endpoint,
            )
        self._steps_back = there


def _neighbours(provider: Any) -> Any:
    return getattr(getattr(provider, "_active_span_processor", None), "_span_processors", None)


def _sends_to(processor: Any, endpoint: str) -> bool:
    """Tell whether a processor of OpenTelemetry's exports by OTLP to the collector at an endpoint."""
    for holder in (processor, getattr(processor, "_batch_processor", None)):
        exporter = getattr(holder, "span_exporter", None) or getattr(holder, "_exporter", None)
        there = getattr(exporter, "_endpoint", None)
        if isinstance(there, str) and _collector(there) == _collector(endpoint):
            return True
    return False


def _collector(endpoint: str) -> tuple[str, int]:
    """Name a collector: gRPC's port stands for both, and this machine has several names."""
    parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    host = parts.hostname or ""
    port = parts.port or _OTLP_GRPC
    return ("127.0.0.1" if host in {"localhost", "::1"} else host, _OTLP_GRPC if port == _OTLP_HTTP else port)


class _Open(Once):
    """OpenTelemetry's "set the provider once", not used up, which tells us when the host does."""

    def __init__(self, notice: Callable[[], None]) -> None:
        super().__init__()
        self._notice = notice

    def do_once(self, func: Callable[[], None]) -> bool:
        did = super().do_once(func)
        if did:
            with _IN_PROVIDER:
                self._notice()
        return did


class Membership:
    """One run of tocsin as a member of the process's tracing."""

    def __init__(
        self,
        delivery: SpanProcessor,
        *,
        endpoint: str | None,
        make_own: Callable[[], StandIn],
        moved: Callable[[trace.TracerProvider], None],
    ) -> None:
        self._delivery = delivery
        self._endpoint = endpoint
        self._make_own = make_own
        self._moved = moved
        self._own: StandIn | None = None

    def join(self) -> trace.TracerProvider:
        """Join the host's provider, or stand in until there is one; return the provider for our own spans."""
        existing = trace.get_tracer_provider()
        if takes_processors(existing) and not isinstance(existing, StandIn):
            self._attach(existing)
            return existing
        own = self._own_provider()
        if isinstance(existing, (StandIn, trace.ProxyTracerProvider)):
            self._stand_in(own, existing)
        return own

    def leave(self) -> None:
        """Stand in no longer: what the process has is what it had before us."""
        own, self._own = self._own, None
        if own is not None and getattr(trace, "_TRACER_PROVIDER", None) is own:
            trace._TRACER_PROVIDER = None  # noqa: SLF001
            trace._TRACER_PROVIDER_SET_ONCE = Once()  # noqa: SLF001

    def _attach(self, provider: Any) -> None:
        provider.add_span_processor(Completing())
        provider.add_span_processor(
            Attached(self._delivery, provider, self._endpoint, lambda: self._go_on_after(provider))
        )

    def _go_on_after(self, provider: Any) -> None:
        """Go on under the name of a provider that was shut down; at exit too, when resources can no longer be detected."""
        own = StandIn(provider.resource, getattr(provider, "_span_limits", None))
        own.add_span_processor(self._delivery)
        self._moved(own)

    def _own_provider(self) -> StandIn:
        own = self._make_own()
        own.add_span_processor(Completing())
        own.add_span_processor(self._delivery)
        return own

    def _stand_in(self, own: StandIn, before: trace.TracerProvider) -> None:
        self._own = own
        if hasattr(trace, "_TRACER_PROVIDER") and hasattr(trace, "_TRACER_PROVIDER_SET_ONCE"):
            trace._TRACER_PROVIDER = own  # noqa: SLF001
            trace._TRACER_PROVIDER_SET_ONCE = _Open(self._give_way)  # noqa: SLF001
        else:  # another OpenTelemetry than we know: set as everybody does
            trace.set_tracer_provider(own)
        if isinstance(before, StandIn):
            before.successor = own

    def _give_way(self) -> None:
        """Follow the host, which has set its own provider."""
        theirs = trace.get_tracer_provider()
        own, self._own = self._own, None
        if own is None or theirs is own:
            return
        if takes_processors(theirs):
            self._attach(theirs)
            self._moved(theirs)
        own.successor = theirs


def takes_processors(provider: trace.TracerProvider) -> bool:
    """Tell whether a provider is OpenTelemetry's, or near enough that we can join it."""
    return callable(getattr(provider, "add_span_processor", None))

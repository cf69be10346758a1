"""What one observed call costs the thread that makes it, beside a bare OpenTelemetry span that carries as much."""

from collections.abc import Callable
from typing import Any

from _report import Figure
from _timing import in_turns, ratios

INPUTS: dict[str, Any] = {
    **{f"field{at}": 0.5 + at for at in range(7)},
    "device": "scanner-3",
    "pages": 14,
    "is_returning": True,
}


def observed_call_figures(endpoint: str) -> list[Figure]:
    """Time `observe` with ten inputs, a label, a confidence and a cost, sent for real, against a bare span of 13 attributes.

    The bare one is OpenTelemetry's at its cheapest: its own provider, a batch processor, an exporter that does nothing.
    """
    import tocsin

    tocsin.init(endpoint=endpoint, service_name="bench", max_queue_size=1_000_000)
    taken = in_turns({"observed": observed_call(), "bare": bare_span()}, rounds=60, repeats=400)
    tocsin.flush(60)
    tocsin.shutdown()
    mine, bare = taken["observed"], taken["bare"]
    wall, cpu = ratios(mine, bare)
    return [
        Figure(name="observe_p50_us", value=round(mine.p50_us, 2), unit="µs"),
        Figure(name="observe_p99_us", value=round(mine.p99_us, 2), unit="µs", goal="<= 100"),
        Figure(name="bare_span_p50_us", value=round(bare.p50_us, 2), unit="µs"),
        Figure(name="bare_span_p99_us", value=round(bare.p99_us, 2), unit="µs"),
        Figure(name="ratio_to_bare_span", value=round(wall, 2), unit="times", goal="<= 0.8"),
        Figure(name="observe_cpu_us", value=round(mine.cpu_p50_us, 2), unit="µs, caller's thread"),
        Figure(name="bare_span_cpu_us", value=round(bare.cpu_p50_us, 2), unit="µs, caller's thread"),
        Figure(name="ratio_to_bare_span_cpu", value=round(cpu, 2), unit="times", goal="<= 0.8"),
    ]


def observed_call() -> Callable[[], None]:
    """Make a function that is one call with ten inputs, a label, a confidence and a cost."""
    import tocsin

    @tocsin.observe("digit-reader")
    def observed() -> None:
        call = tocsin.current_call()
        call.set_inputs(INPUTS)
        call.set_output(label="3")
        call.set_confidence(0.9)
        call.set_cost(0.002)

    return observed


def bare_span() -> Callable[[], None]:
    """Make a function that is one span with thirteen attributes and nothing else."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:  # noqa: ARG002
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere(), max_queue_size=1_000_000))
    tracer = provider.get_tracer("bench")
    carried = {f"bench.input.{name}": value for name, value in INPUTS.items()}
    carried |= {"bench.label": "3", "bench.confidence": 0.9, "bench.cost": 0.002}

    def bare() -> None:
        with tracer.start_as_current_span("bare") as span:
            span.set_attributes(carried)

    return bare

"""One peer's own way to record a call with ten inputs, an output, a confidence and a cost; run by the peers' interpreter.

    PYTHON bench/_traced.py PEER URL

Prints one line of JSON: microseconds on the caller's thread, and a bare span's in the same process, in turns. What the
peers send goes to a server on loopback that takes anything.
"""

import json
import os
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

from _observing import INPUTS, bare_span
from _timing import in_turns, ratios

Work = Callable[[], Any]


def langfuse(url: str) -> Work:
    """Decorate a function as a generation, with its arguments, output, metadata and cost."""
    from langfuse import Langfuse, get_client, observe

    Langfuse(public_key="pk-lf-bench", secret_key="sk-lf-bench", host=url)  # noqa: S106
    client = get_client()

    @observe(as_type="generation")
    def call(**_inputs: Any) -> str:
        client.update_current_generation(metadata={"confidence": 0.9}, cost_details={"total": 0.002})
        return "3"

    return lambda: call(**INPUTS)


def mlflow(url: str) -> Work:
    """Trace a function, with attributes for what it has no place for."""
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "true"  # as its pages say for production
    import mlflow as ml
    from mlflow.entities.trace_location import MlflowExperimentLocation

    ml.set_tracking_uri(url)
    # Named, since asking for the default experiment needs the whole of mlflow.
    ml.tracing.set_destination(MlflowExperimentLocation(experiment_id="0"))

    @ml.trace(name="call")
    def call(**_inputs: Any) -> str:
        span = ml.get_current_active_span()
        if span is None:
            raise RuntimeError("expected a span")
        span.set_attributes({"confidence": 0.9, "cost": 0.002})
        return "3"

    return lambda: call(**INPUTS)


def openinference(url: str) -> Work:
    """Trace a function as a chain by OpenInference's tracer over OpenTelemetry's batch processor."""
    from openinference.instrumentation import TracerProvider
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url}/v1/traces"), max_queue_size=1_000_000)
    )
    tracer = provider.get_tracer("bench")

    @tracer.chain
    def call(**_inputs: Any) -> str:
        trace.get_current_span().set_attributes({"confidence": 0.9, "cost": 0.002})
        return "3"

    return lambda: call(**INPUTS)


def logfire(url: str) -> Work:
    """Open a span with its attributes, as its pages show."""
    import logfire as fire

    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = url
    fire.configure(send_to_logfire=False, console=False, service_name="bench", inspect_arguments=False)

    def call() -> None:
        with fire.span("call", **INPUTS) as span:
            span.set_attributes({"label": "3", "confidence": 0.9, "cost": 0.002})

    return call


def opik(url: str) -> Work:
    """Track a function as a language model's call, with metadata and cost."""
    os.environ["OPIK_URL_OVERRIDE"] = f"{url}/api"
    os.environ["OPIK_WORKSPACE"] = "default"
    import opik as comet
    from opik import opik_context

    @comet.track(type="llm")
    def call(**_inputs: Any) -> str:
        opik_context.update_current_span(metadata={"confidence": 0.9}, total_cost=0.002)
        return "3"

    return lambda: call(**INPUTS)


PEERS: dict[str, tuple[str, Callable[[str], Work]]] = {
    "langfuse": ("langfuse", langfuse),
    "mlflow": ("mlflow-tracing", mlflow),
    "openinference": ("openinference-instrumentation", openinference),
    "logfire": ("logfire", logfire),
    "opik": ("opik", opik),
}


def main() -> None:
    """Time one peer beside a bare span and print what was found."""
    name, url = sys.argv[1:]
    package, make = PEERS[name]
    taken = in_turns({"peer": make(url), "bare": bare_span()}, rounds=15, repeats=200)
    wall, cpu = ratios(taken["peer"], taken["bare"])
    sys.stdout.write(
        json.dumps(
            {
                "version": metadata.version(package),
                "p50_us": taken["peer"].p50_us,
                "p99_us": taken["peer"].p99_us,
                "cpu_us": taken["peer"].cpu_p50_us,
                "ratio": wall,
                "ratio_cpu": cpu,
            }
        )
        + "\n"
    )
    sys.stdout.flush()
    os._exit(0)  # what waits to be sent is of no interest, and some of them would wait for it


if __name__ == "__main__":
    main()

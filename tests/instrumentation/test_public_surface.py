"""What `import tocsin` gives, and what it costs."""

import subprocess
import sys

import tocsin


def test_the_public_names_are_these() -> None:
    """Hosts import these; adding one is a decision, losing one breaks them."""
    assert tocsin.__all__ == [
        "Call",
        "FeatureOff",
        "Guard",
        "Route",
        "current_call",
        "flush",
        "guard",
        "init",
        "instrument_genai",
        "instrument_lightgbm",
        "instrument_sklearn",
        "instrument_transformers",
        "instrument_xgboost",
        "last_calls",
        "observe",
        "record_feedback",
        "record_outcome",
        "record_outcomes",
        "record_outcomes_async",
        "record_support_contact",
        "shutdown",
        "stats",
        "uninstrument_genai",
        "uninstrument_lightgbm",
        "uninstrument_sklearn",
        "uninstrument_transformers",
        "uninstrument_xgboost",
        "wrap",
    ]


def test_every_public_name_has_a_docstring() -> None:
    """`help(tocsin.observe)` is the first documentation a host reads."""
    undocumented = [name for name in tocsin.__all__ if not getattr(tocsin, name).__doc__]

    assert undocumented == []


def test_importing_loads_nothing_heavy() -> None:
    """Start-up time is the host's: exporters, gRPC, protobuf and NumPy load when first used, not before."""
    heavy = ("grpc", "google.protobuf", "numpy", "sklearn", "pandas", "opentelemetry.sdk", "opentelemetry.exporter")
    code = f"import sys, tocsin; print([name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"

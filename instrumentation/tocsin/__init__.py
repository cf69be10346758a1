"""tocsin's SDK: AI calls become OpenTelemetry spans, late truth becomes outcomes, and a guard says whom to ask.

Nothing here raises into, blocks or slows the host: one boundary swallows, counts (`stats`) and logs once.
"""

from tocsin._calls.call import Call
from tocsin._calls.last import last_calls
from tocsin._calls.observe import current_call, observe
from tocsin._genai.switches import instrument_genai, uninstrument_genai
from tocsin._guards.errors import FeatureOff
from tocsin._guards.guard import Guard, guard
from tocsin._guards.route import Route
from tocsin._models.registry import (
    instrument_lightgbm,
    instrument_sklearn,
    instrument_transformers,
    instrument_xgboost,
    uninstrument_lightgbm,
    uninstrument_sklearn,
    uninstrument_transformers,
    uninstrument_xgboost,
)
from tocsin._models.wrap import wrap
from tocsin._outcomes.record import (
    record_feedback,
    record_outcome,
    record_outcomes,
    record_outcomes_async,
    record_support_contact,
)
from tocsin._process.lifecycle import flush, init, shutdown, stats
from tocsin_wire.version import version as _version

__all__ = [
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


def __getattr__(name: str) -> str:
    """Answer `tocsin.__version__`: read when somebody asks, not at import."""
    if name == "__version__":
        return _version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

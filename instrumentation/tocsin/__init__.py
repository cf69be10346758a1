"""tocsin's SDK: AI calls become OpenTelemetry spans, late truth becomes outcomes, and a guard says whom to ask.

Nothing here raises into, blocks or slows the host: one boundary swallows, counts (`stats`) and logs once.
"""

from tocsin._calls.call import Call
from tocsin._calls.last import last_calls
from tocsin._calls.observe import current_call, observe
from tocsin._guards.guard import Guard, Route, guard
from tocsin._models.sklearn import instrument_sklearn, uninstrument_sklearn
from tocsin._outcomes.record import record_outcome
from tocsin._process.lifecycle import flush, init, shutdown, stats

__all__ = [
    "Call",
    "Guard",
    "Route",
    "current_call",
    "flush",
    "guard",
    "init",
    "instrument_sklearn",
    "last_calls",
    "observe",
    "record_outcome",
    "shutdown",
    "stats",
    "uninstrument_sklearn",
]

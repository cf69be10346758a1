"""tocsin's SDK: AI calls become OpenTelemetry spans, late truth becomes outcomes, and a guard says whom to ask.

Nothing here raises into, blocks or slows the host: one boundary swallows, counts (`stats`) and logs once.
"""

from tocsin._call import Call
from tocsin._guard import Guard, Route, guard
from tocsin._last import last_calls
from tocsin._lifecycle import flush, init, shutdown, stats
from tocsin._observe import current_call, observe
from tocsin._record import record_outcome
from tocsin._sklearn import instrument_sklearn, uninstrument_sklearn

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

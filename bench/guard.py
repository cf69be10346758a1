"""What a guard costs the service that asks it, microseconds from memory, and how soon a flip reaches it.

    python bench/guard.py [--json FILE]

Medians and 99th percentiles over single questions, with flags in memory as the server sends them.
"""

import json
import time
from collections.abc import Callable
from statistics import median, quantiles

from _flips import flip_figures
from _report import Figure, arguments, report

_TIMES = 20_000


def main() -> None:
    """Take every figure, print them, write them."""
    asked = arguments("What a guard costs the service that asks it.").parse_args()
    import tocsin
    from tocsin._guards.flags import read_flags
    from tocsin._process.runtime import runtime
    from tocsin.testing import capture

    bars = json.dumps([{"model_version": "7", "bar": 0.9, "low_bar": 0.6}])
    flag = {
        "state": "ENABLED",
        "variants": {"normal": "normal"},
        "defaultVariant": "normal",
        "metadata": {"mode": "automatic", "floor": 0.9, "bars": bars},
    }
    with capture() as calls:
        guard = tocsin.guard("triage")
        flags = runtime().flags
        if flags is None:
            raise RuntimeError("expected a stream of flags")
        flags.hear(read_flags(json.dumps({"flags": {"tocsin.guard.triage": flag}})))

        def answer(confidence: float) -> str:
            tocsin.current_call().confidence = confidence
            return "x"

        watched = tocsin.observe("triage")(answer)
        guarded = tocsin.observe("triage", fallback=answer)(answer)
        state, decide = microseconds(lambda: guard.state), microseconds(lambda: guard.decide(0.95))
        found = microseconds(lambda: tocsin.guard("triage").state)
        plain, with_fallback = microseconds(lambda: watched(0.95)), microseconds(lambda: guarded(0.95))
        calls.clear()
    figures = [
        Figure(name="guard_state_p50_us", value=median(state), unit="µs", goal="<= 5"),
        Figure(name="guard_state_p99_us", value=quantiles(state, n=100)[98], unit="µs", goal="<= 5"),
        Figure(name="guard_found_and_read_p50_us", value=median(found), unit="µs", goal="<= 5"),
        Figure(name="guard_decide_p50_us", value=median(decide), unit="µs"),
        Figure(name="guard_fallback_added_p50_us", value=median(with_fallback) - median(plain), unit="µs"),
    ]
    report("What a guard costs", [*figures, *flip_figures()], asked.json)


def microseconds(ask: Callable[[], object]) -> list[float]:
    """Time each of many questions."""
    taken = []
    for _ in range(_TIMES):
        began = time.perf_counter_ns()
        ask()
        taken.append((time.perf_counter_ns() - began) / 1000)
    return taken


if __name__ == "__main__":
    main()

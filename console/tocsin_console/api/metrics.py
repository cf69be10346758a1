"""The Prometheus text format, version 0.0.4."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

_GUARD_STATES: Final = ("normal", "verify", "fallback", "off")
_VERDICTS: Final = ("right", "drifting", "wrong", "unverified", "collecting")


@dataclass(slots=True)
class _Text:
    lines: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        kind: Literal["counter", "gauge"],
        help_text: str,
        series: Iterable[tuple[Mapping[str, str], Any]],
    ) -> None:
        known = [(labels, value) for labels, value in series if value is not None]
        if not known:
            return
        self.lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
        self.lines += [f"{name}{_labels(labels)} {float(value):.17g}" for labels, value in known]


def exposition(state: Mapping[str, Any]) -> str:
    """Write the state document as metrics; what is unknown is left out, never 0."""
    text = _Text()
    ledger, loops = state["ledger"], state["loops"]
    text.add("tocsin_info", "gauge", "Version of this tocsin and its store.", [(_info(state), 1)])
    text.add("tocsin_uptime_seconds", "gauge", "Time since the start.", [({}, state["uptime_s"])])
    text.add(
        "tocsin_spans_loaded_total",
        "counter",
        "Spans that the load ledger says are stored.",
        [({}, ledger["spans_loaded"])],
    )
    text.add("tocsin_spans_stored", "gauge", "Spans in otel_traces.", [({}, ledger["spans_stored"])])
    text.add("tocsin_calls_stored", "gauge", "AI calls in ai_calls.", [({}, ledger["calls_stored"])])
    text.add("tocsin_outcomes_stored", "gauge", "Outcomes in outcomes.", [({}, ledger["outcomes_stored"])])
    text.add("tocsin_requests_set_aside", "gauge", "Requests in dead_letters.", [({}, ledger["requests_set_aside"])])
    text.add(
        "tocsin_ledger_balances", "gauge", "1 when the ledger and the table agree.", [({}, int(ledger["balances"]))]
    )
    for name, value in state["collector"].items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            text.add(f"tocsin_collector_{name}", "gauge", f"The collector's {name.replace('_', ' ')}.", [({}, value)])
    text.add(
        "tocsin_watermark_lag_seconds",
        "gauge",
        "Age of the oldest data not yet loaded.",
        [({}, state["watermark"]["lag_s"])],
    )
    text.add(
        "tocsin_evaluated_through_seconds",
        "gauge",
        "Unix time up to which every slot is evaluated.",
        [({}, _unix(state["evaluated_through"]))],
    )
    text.add("tocsin_evaluations", "gauge", "Samples in evaluations.", [({}, state["evaluations"])])
    text.add(
        "tocsin_notifications",
        "gauge",
        "Notifications in the outbox by state.",
        [({"state": k}, v) for k, v in state["notifications"].items()],
    )
    delivery = state["delivery"]
    for name in ("pages", "template_errors", "evidence_errors"):
        text.add(f"tocsin_{name}_total", "counter", f"Delivery: {name.replace('_', ' ')}.", [({}, delivery[name])])
    for name in ("sent", "dead", "failed_attempts"):
        series = [({"channel": each["channel"]}, each[name]) for each in delivery["channels"]]
        text.add(f"tocsin_channel_{name}_total", "counter", f"Messages of a channel: {name.replace('_', ' ')}.", series)
    text.add("tocsin_failing_rules", "gauge", "Rules whose last run failed.", [({}, len(state["failing_rules"]))])
    text.add(
        "tocsin_loop_turns_total",
        "counter",
        "Turns of a loop that succeeded.",
        [({"loop": k}, v.turns) for k, v in loops.items()],
    )
    text.add(
        "tocsin_loop_failures_total",
        "counter",
        "Turns of a loop that failed.",
        [({"loop": k}, v.failures) for k, v in loops.items()],
    )
    text.add(
        "tocsin_disk_free_bytes", "gauge", "Free space of the data folder's disk.", [({}, state["disk_free_bytes"])]
    )
    disk = state["disk"]
    text.add("tocsin_disk_used_bytes", "gauge", "What the data folder takes.", [({}, disk["used_bytes"])])
    text.add("tocsin_disk_limit_bytes", "gauge", "What max_disk allows it.", [({}, disk["limit_bytes"])])
    text.add("tocsin_disk_warning", "gauge", "1 while there is too little room.", [({}, int(bool(disk["warning"])))])
    _use_cases(text, state["use_cases"])
    return "\n".join(text.lines) + "\n"


def _use_cases(text: _Text, use_cases: Iterable[Mapping[str, Any]]) -> None:
    named = [({"project": each["project"], "use_case": each["use_case"]}, each) for each in use_cases]
    text.add(
        "tocsin_use_case_calls", "gauge", "Calls of a use case.", [(labels, each["calls"]) for labels, each in named]
    )
    text.add(
        "tocsin_use_case_accuracy",
        "gauge",
        "Latest accuracy by source.",
        [
            ({**labels, "source": source}, each[source] and each[source]["value"])
            for labels, each in named
            for source in ("accuracy", "estimate")
        ],
    )
    text.add(
        "tocsin_use_case_verdict",
        "gauge",
        "1 for the verdict that holds.",
        [({**labels, "verdict": word}, int(each["verdict"] == word)) for labels, each in named for word in _VERDICTS],
    )
    text.add(
        "tocsin_guard_state",
        "gauge",
        "1 for the state in force.",
        [
            ({**labels, "state": state}, int(each["guard"] == state))
            for labels, each in named
            for state in _GUARD_STATES
        ],
    )
    text.add(
        "tocsin_alerts_active",
        "gauge",
        "Alerts pending, firing or recovering.",
        [(labels, len(each["alerts"])) for labels, each in named],
    )


def _info(state: Mapping[str, Any]) -> dict[str, str]:
    return {"version": state["version"], "store": state["store"]["kind"], "store_version": state["store"]["version"]}


def _unix(when: datetime | None) -> float | None:
    return when.timestamp() if when else None


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

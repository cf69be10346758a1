"""The state of a running tocsin as Prometheus scrapes it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from tocsin_console.api.collector_metrics import add_collector
from tocsin_console.api.exposition import Text
from tocsin_console.api.process_metrics import add_process
from tocsin_console.heartbeats import BEATS

_GUARD_STATES: Final = ("normal", "verify", "fallback", "off")
_VERDICTS: Final = ("right", "drifting", "wrong", "unverified", "collecting")


def exposition(state: Mapping[str, Any]) -> str:
    """Write the state document as metrics; what is unknown is left out, never 0."""
    text = Text()
    ledger, loops = state["ledger"], state["loops"]
    text.add("tocsin_info", "gauge", "Version of this tocsin and its store.", [(_info(state), 1)])
    text.add("tocsin_uptime_seconds", "gauge", "Time since the start.", [({}, state["uptime_s"])])
    text.add("tocsin_calls_stored", "gauge", "AI calls in ai_calls.", [({}, ledger["calls_stored"])])
    text.add("tocsin_outcomes_stored", "gauge", "Outcomes in outcomes.", [({}, ledger["outcomes_stored"])])
    text.add("tocsin_requests_set_aside", "gauge", "Requests in dead_letters.", [({}, ledger["requests_set_aside"])])
    text.add(
        "tocsin_ledger_balances", "gauge", "1 when the ledger and the table agree.", [({}, int(ledger["balances"]))]
    )
    _ledger(text, ledger["kinds"])
    lag_s = state["watermark"]["lag_s"]
    add_collector(text, state["collector"], spool_max_bytes=state["spool_max_bytes"], lag_s=lag_s)
    text.add(
        "tocsin_watermark_lag_seconds",
        "gauge",
        "Age of the oldest data not yet loaded.",
        [({}, state["watermark"]["lag_s"])],
    )
    silent = sum(not each["is_live"] for each in state["collectors"])
    text.add("tocsin_collectors_silent", "gauge", "Collectors without a sign of life for ten minutes.", [({}, silent)])
    text.add(
        "tocsin_evaluated_through_seconds",
        "gauge",
        "Unix time up to which every slot is evaluated.",
        [({}, _unix(state["evaluated_through"]))],
    )
    text.add(
        "tocsin_evaluation_lag_seconds",
        "gauge",
        "How far evaluation is behind the time of the data, or the clock.",
        [({}, state["evaluation_lag_s"])],
    )
    text.add("tocsin_evaluations", "gauge", "Samples in evaluations.", [({}, state["evaluations"])])
    text.add(
        "tocsin_notifications",
        "gauge",
        "Notifications in the outbox by state.",
        [({"state": k}, v) for k, v in state["notifications"].items()],
    )
    delivery = state["delivery"]
    for name, help_text in (
        ("pages", "Incidents that were paged, since the start."),
        ("template_errors", "Messages that were sent in the short form, since their template failed."),
        ("evidence_errors", "Messages that were sent without evidence, since it could not be read."),
    ):
        text.add(f"tocsin_{name}_total", "counter", help_text, [({}, delivery[name])])
    for name, help_text in (
        ("sent", "Messages that a channel has taken, since the start."),
        ("dead", "Messages of a channel that were given up, since the start."),
        ("failed_attempts", "Attempts to send to a channel that failed, since the start; each is tried again."),
    ):
        series = [({"channel": each["channel"]}, each[name]) for each in delivery["channels"]]
        text.add(f"tocsin_channel_{name}_total", "counter", help_text, series)
    waiting = state["waiting"]
    text.add("tocsin_pages_waiting", "gauge", "Pages that wait until people work again.", [({}, waiting["pages"])])
    text.add(
        "tocsin_pages_waiting_until_seconds",
        "gauge",
        "Unix time at which the first of them is told; absent when none waits.",
        [({}, _unix(waiting["until"]))],
    )
    text.add("tocsin_failing_rules", "gauge", "Rules whose last run failed.", [({}, len(state["failing_rules"]))])
    _heartbeats(text, state["heartbeats"])
    _loops(text, loops)
    _reading(text, state["reading"])
    add_process(text, started_at_s=state["started_at"].timestamp())
    text.add(
        "tocsin_disk_free_bytes", "gauge", "Free space of the data folder's disk.", [({}, state["disk_free_bytes"])]
    )
    disk = state["disk"]
    text.add("tocsin_disk_used_bytes", "gauge", "What the data folder takes.", [({}, disk["used_bytes"])])
    text.add("tocsin_disk_limit_bytes", "gauge", "What max_disk allows it.", [({}, disk["limit_bytes"])])
    text.add("tocsin_disk_warning", "gauge", "1 while there is too little room.", [({}, int(bool(disk["warning"])))])
    _use_cases(text, state["use_cases"])
    return "\n".join(text.lines) + "\n"


def _ledger(text: Text, kinds: Mapping[str, Mapping[str, Any]]) -> None:
    for name, help_text in (
        ("loaded", "Items that the load ledger says were stored."),
        ("stored", "Rows that the tables hold now."),
        ("erased", "Rows taken out on purpose."),
        ("difference", "Loaded and not there; absent when rows may have expired."),
        ("unaccounted", "Received by this process and without a fate."),
    ):
        series = [({"kind": kind}, each[name]) for kind, each in kinds.items()]
        text.add(f"tocsin_ledger_{name}_items", "gauge", help_text, series)


def _heartbeats(text: Text, beats: Iterable[Mapping[str, Any]]) -> None:
    named = [({"rule": each["rule"]}, each) for each in beats]
    for name, help_text, key in (
        ("last_slot_seconds", "Unix time of the last slot that was tried.", "slot"),
        ("last_run_seconds", "Unix time of the last run.", "at"),
    ):
        text.add(f"tocsin_rule_{name}", "gauge", help_text, [(labels, _unix(each[key])) for labels, each in named])
    text.add(
        "tocsin_rule_samples",
        "gauge",
        "Samples of the last run.",
        [(labels, each["samples"]) for labels, each in named],
    )
    text.add(
        "tocsin_rule_rows_read",
        "gauge",
        "Rows that the last run read from tables.",
        [(labels, each["rows_read"]) for labels, each in named],
    )
    text.add(
        "tocsin_rule_did",
        "gauge",
        "1 for what the last run did.",
        [({**labels, "did": did}, int(each["did"] == did)) for labels, each in named for did in BEATS],
    )


def _loops(text: Text, loops: Mapping[str, Any]) -> None:
    named = [({"loop": name}, each) for name, each in loops.items()]
    text.add("tocsin_loop_turns_total", "counter", "Turns of a loop that succeeded.", [(k, v.turns) for k, v in named])
    text.add(
        "tocsin_loop_failures_total", "counter", "Turns of a loop that failed.", [(k, v.failures) for k, v in named]
    )
    text.add(
        "tocsin_loop_consecutive_failures",
        "gauge",
        "Failures since the last success.",
        [(k, v.consecutive_failures) for k, v in named],
    )
    text.add("tocsin_loop_up", "gauge", "1 while a loop lives.", [(k, int(v.is_alive)) for k, v in named])
    text.add(
        "tocsin_loop_since_turn_seconds",
        "gauge",
        "Time since the last turn that succeeded.",
        [(k, v.since_turn_s) for k, v in named],
    )


def _reading(text: Text, counts: Mapping[str, int]) -> None:
    asked = [({"result": name}, counts.get(name)) for name in ("answered", "failed", "turned_away")]
    text.add(
        "tocsin_clickhouse_http_queries_total", "counter", "Queries over ClickHouse's HTTP by how they ended.", asked
    )
    text.add("tocsin_clickhouse_http_running_queries", "gauge", "Queries that run.", [({}, counts.get("running"))])


def _use_cases(text: Text, use_cases: Iterable[Mapping[str, Any]]) -> None:
    named = [({"project": each["project"], "use_case": each["use_case"]}, each) for each in use_cases]
    text.add(
        "tocsin_use_case_calls", "gauge", "Calls of a use case.", [(labels, each["calls"]) for labels, each in named]
    )
    text.add(
        "tocsin_use_case_accuracy",
        "gauge",
        "Latest accuracy by source, 0 to 1: by labels, and estimated without.",
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

"""What a doctor looks at; pure, so that each finding can be shown to be made."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tocsin_console.check import Check
from tocsin_console.no_calls import why_no_calls

LEAST_DISK_BYTES: Final = 1 << 30
TEST_USE_CASE: Final = "tocsin-test"  # what send-test sends: nobody owns it
NO_CALLS: Final = (
    "has a plan but no calls",
    "check that its spans say tocsin.use_case, or map them: tocsin use-cases map",
)
_LAGS_S: Final = 60.0
_MEND: Final = "mend that: what waits is loaded by itself within 10 s"


def examine(state: Mapping[str, Any]) -> list[Check]:
    """Look at the state document of a running tocsin."""
    return [*_machine(state), *_collectors(state), *_channels(state), *_use_cases(state)]


def urgent(state: Mapping[str, Any]) -> list[Check]:
    """Pick what nobody should have to look for: who is not told, what does not run, what waits.

    Args:
        state: The state document, or as much of it as this needs: loops, collector and watermark, collectors, channels, lost_routes,
            delivery, failing_rules, notifications, reviews_overdue.
    """
    found = [*_loops(state), *_waiting(state), *_collectors(state), *_channels(state), *_reviews(state)]
    return [check for check in found if check.level == "finding"]


def examine_disk(free_bytes: int) -> Check:
    """Look at the room that is left."""
    room = f"{free_bytes / 2**30:.1f} GiB free"
    if free_bytes < LEAST_DISK_BYTES:
        return Check(name="disk", level="finding", said=room, do="make room, or move the data folder: --data-dir")
    return Check(name="disk", level="ok", said=room)


def _machine(state: Mapping[str, Any]) -> Iterator[Check]:
    yield Check(name="server", level="ok", said=f"tocsin {state['version']} answers, {state['clock']} clock")
    listening = {name: address for name, address in state["addresses"].items() if name != "clickhouse_http_off"}
    yield Check(name="addresses", level="ok", said=", ".join(f"{k} {v}" for k, v in listening.items()))
    if closed := state["addresses"].get("clickhouse_http_off"):
        yield Check(name="reading", level="note", said=f"Grafana and SQL clients cannot read: {closed}")
    yield Check(name="data folder", level="ok", said=str(state["data_dir"]))
    yield examine_disk(state["disk_free_bytes"])
    if filling := state.get("disk", {}).get("warning"):
        yield Check(name="data", level="finding", said=filling, do="tocsin disk")
    ledger = state["ledger"]
    if ledger["balances"]:
        yield Check(name="ledger", level="ok", said=f"balances: {ledger['spans_stored']:,} spans")
    else:
        for items, each in ledger["kinds"].items():
            if each["difference"] or each["unaccounted"]:
                said = f"{each['difference'] or 0:,} loaded {items} are not in the tables, {each['unaccounted']:,} received "
                yield Check(name="ledger", level="finding", said=said + "are unaccounted for", do="look at the log")
    if set_aside := ledger["requests_set_aside"]:
        do = "tocsin deadletter ls, mend what it names, then tocsin deadletter retry --all"
        yield Check(name="dead letters", level="finding", said=f"{set_aside:,} requests were set aside", do=do)
    yield from _waiting(state)
    yield from _loops(state)


def _loops(state: Mapping[str, Any]) -> Iterator[Check]:
    for name, loop in state["loops"].items():
        if not loop["is_alive"]:
            said = f"has ended: {loop['last_error']}" if loop["last_error"] else "has ended"
            yield Check(name=f"{name} loop", level="finding", said=said, do="look at the log, then start tocsin again")
        elif loop["consecutive_failures"]:
            said = f"failed {loop['consecutive_failures']} times in a row: {loop['last_error']}"
            yield Check(name=f"{name} loop", level="finding", said=said, do="look at the log")


def _waiting(state: Mapping[str, Any]) -> Iterator[Check]:
    if unfit := state["collector"].get("unfit"):
        yield Check(name="tables", level="finding", said=unfit, do=_MEND)
    lag = state["watermark"]["lag_s"]
    if lag is not None and lag > _LAGS_S:
        yield Check(name="loader", level="finding", said=f"is {lag:.0f} s behind", do="look at the log")


def _collectors(state: Mapping[str, Any]) -> Iterator[Check]:
    for each in state.get("collectors", ()):
        if not each["is_live"]:
            said = f"was last heard of at {each['heard_at']}: slots since then may lack what it received"
            do = "start it again over its data folder, and it loads what it holds; one that is gone is forgotten after 7 days"
            yield Check(name=f"collector {each['name']}", level="finding", said=said, do=do)
        elif each["unfit"] and not state["collector"].get("unfit"):
            yield Check(name=f"collector {each['name']}", level="finding", said=each["unfit"], do=_MEND)


def _channels(state: Mapping[str, Any]) -> Iterator[Check]:
    reach = [each["name"] for each in state["channels"] if "page" in each["severities"] and each["type"] != "log"]
    if reach:
        yield Check(name="channels", level="ok", said=f"pages go to {', '.join(reach)}")
    else:
        do = "add a webhook or smtp channel with severities: [page] to tocsin.yaml"
        yield Check(name="channels", level="finding", said="no page channel configured: nobody would be told", do=do)
    for lost in state["lost_routes"]:
        do = "name a channel of tocsin.yaml, or add it there"
        yield Check(name="routes", level="finding", said=f"{lost}, which there is not: nobody is told by it", do=do)
    for each in state["delivery"]["channels"]:
        if each["waiting"] and each["last_error"]:
            said = f"{each['waiting']} messages wait: {each['last_error']}"
            yield Check(
                name=f"channel {each['channel']}", level="finding", said=said, do="mend the channel or its receiver"
            )
    if state["delivery"]["template_errors"]:
        yield Check(name="templates", level="finding", said=state["delivery"]["last_error"], do="tocsin rules check")
    for each in state["failing_rules"]:
        said = f"its last run failed: {each['last_error'][:200]}"
        yield Check(
            name=f"rule {each['rule']}", level="finding", said=said, do="tocsin rules check, and look at the log"
        )
    if dead := state["notifications"].get("dead", 0):
        said, do = f"{dead} notifications were given up", "tocsin alerts list --all, and look at the log"
        yield Check(name="outbox", level="finding", said=said, do=do)


def _reviews(state: Mapping[str, Any]) -> Iterator[Check]:
    for each in state["reviews_overdue"]:
        said = f"is overdue, {each['scored']} of {each['size']} of {each['week']} scored"
        yield Check(name=f"review of {each['use_case']}", level="finding", said=said, do="tocsin review")


def _no_calls(*, are_tests: bool) -> Check:
    if are_tests:
        said, do = (
            "no AI call has arrived but those of send-test",
            "instrument a service: tocsin run -- python service.py",
        )
    else:
        said, do = "no AI call has arrived", "tocsin send-test, to see one"
    return Check(name="use cases", level="finding", said=said, do=do)


def _use_cases(state: Mapping[str, Any]) -> Iterator[Check]:
    watched = [each for each in state["use_cases"] if each["use_case"] != TEST_USE_CASE]
    if not watched:
        yield _no_calls(are_tests=bool(state["use_cases"]))
        yield from why_no_calls(state["arrivals"]) if state.get("arrivals") else ()
    for each in watched:
        lacking = list(_lacking(each))
        name = f"use case {each['use_case']}"
        if not lacking:
            yield Check(name=name, level="ok", said=f"{each['verdict']}: {each['reason']}")
        for said, do in lacking:
            yield Check(name=name, level="finding", said=said, do=do)


def _lacking(each: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = each["use_case"]
    if not each["has_plan"]:
        yield "has no plan", f"tocsin plan init {name}"
    else:
        if not each["owner"]:
            yield "has no owner", f"add owner: to use_cases/{name}.yaml"
        if each["floor"] is None:
            yield "has no quality floor", f"add quality.floor to use_cases/{name}.yaml"
    if not each["calls"]:
        yield NO_CALLS
        return
    if not each["outcomes"]:
        yield "has no outcomes: its quality is unverified", "send labels with tocsin.record_outcome"
    if not each["calls_with_confidence"]:
        yield "has no confidence: decay shows only in reviews", "set call.confidence, or send class probabilities"

"""A retraining set off by a whole ``tocsin up``: from calls and their labels to whoever trains, and back on one page."""

import http.client
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.alerts.retraining.receiving import Receiver, receiver
from tests.end_to_end.conftest import Up, running

from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest

__all__ = ["receiver"]

_MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
_DAY = timedelta(days=1)
_CALLS = 40  # a day
_CONFIG = """\
clock: data
retraining_actions:
  - {{name: retrain-digits, type: webhook, url: "{0}/retrain", secret: "file:retrain.secret"}}
"""
_PLAN = """\
use_case: digits
labels: {delay: 1h}
retraining:
  trigger: {metric: accuracy, threshold: 0.88, duration: 1d}
  action: retrain-digits
  owner: ml-platform
  cooldown: 14d
"""


def send(up: Up, wait_for: Any, day: datetime) -> None:
    """Send a day of calls, each of which turns out wrong, and then a sign of life from after midnight."""
    noon_ns = int((day + _DAY / 2).timestamp()) * 10**9
    ids = [f"{day:%Y-%m-%d}-{number}" for number in range(_CALLS)]
    about = {"tocsin.use_case": "digits", "tocsin.output.label": "7"}
    calls = [("predict", noon_ns + at * 10**9, {**about, "tocsin.call.id": name}) for at, name in enumerate(ids)]
    outcomes = [
        Outcome(call=CallRef(use_case="digits", call_id=name, started_unix_nano=at_ns, label="7"), label="1")
        for name, (_, at_ns, _) in zip(ids, calls, strict=True)
    ]
    with grpc.insecure_channel(up.facts["grpc"]) as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        record = channel.unary_unary("/tocsin_wire.v1.OutcomeService/Record")
        export(spans(calls), timeout=60)
        record(RecordOutcomesRequest(outcomes=outcomes).SerializeToString(), timeout=60)
        loaded = f"SELECT count() FROM outcomes WHERE toDate(started_at) = '{day:%Y-%m-%d}'"
        wait_for(lambda: up.query(loaded) == [[_CALLS]], what="the day's labels")
        export(spans([("nightly", noon_ns + 43_260 * 10**9, {})]), timeout=60)
    wait_for(lambda: standing(up)["slot"] == (day + _DAY).isoformat(), what=f"{day:%A} to be judged")


def spans(said: list[tuple[str, int, dict[str, str]]]) -> bytes:
    """Write spans of a second each: name, beginning, attributes."""
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    for name, start_ns, attributes in said:
        span = scope.spans.add(
            trace_id=start_ns.to_bytes(16, "big"),
            span_id=start_ns.to_bytes(8, "big"),
            name=name,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + 10**9,
        )
        for key, value in attributes.items():
            span.attributes.add(key=key).value.string_value = value
    return made.SerializeToString()


def standing(up: Up) -> dict[str, Any]:
    """Ask how the trigger of the one plan stands."""
    connection = http.client.HTTPConnection(up.facts["api"], timeout=60)
    connection.request("GET", "/api/retraining")
    [found] = json.loads(connection.getresponse().read())["retraining"]
    connection.close()
    return dict(found)


def test_labels_that_turn_bad_set_off_one_retraining(tmp_path: Path, receiver: Receiver, wait_for: Any) -> None:
    """Nobody has to be awake: whoever trains is told what fell, how far and whose it is, once, and the page says so."""
    receiver.status = 200
    (tmp_path / "tocsin.yaml").write_text(_CONFIG.format(receiver.url))
    (tmp_path / "retrain.secret").write_text("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n")
    (tmp_path / "use_cases").mkdir()
    (tmp_path / "use_cases" / "digits.yaml").write_text(_PLAN)

    with running(tmp_path) as up:
        send(up, wait_for, _MONDAY)
        wait_for(lambda: [run["state"] for run in standing(up)["runs"]] == ["done"], what="the retraining")
        send(up, wait_for, _MONDAY + _DAY)
        run = standing(up)["runs"][0]["run"]
        up.tocsin("retraining", "close", run[:8], "released 2026-03-09", "--by", "ana")
        [page] = up.tocsin("retraining")
        audit = up.query("SELECT actor, action, subject FROM audit_log ORDER BY at, action DESC")
        assert up.end() == 0

    [(path, headers, body)] = receiver.posts
    assert (path, headers["webhook-id"], body["type"]) == ("/retrain", run, "retraining.due")
    assert headers["webhook-signature"].startswith("v1,")
    told = {name: body["data"][name] for name in ("use_case", "metric", "condition", "value", "n", "owner", "slot")}
    assert told == {
        "use_case": "digits",
        "metric": "accuracy",
        "condition": "accuracy below 0.88 for 1d",
        "value": 0.0,
        "n": _CALLS,
        "owner": "ml-platform",
        "slot": (_MONDAY + _DAY).isoformat(),
    }
    assert page["trigger"] == "accuracy below 0.88 for 1d"
    assert (page["owner"], page["cooldown_s"], page["slots_held"]) == ("ml-platform", 14 * 86_400, 2)
    assert page["rests_until"] == (_MONDAY + 15 * _DAY).isoformat()
    assert [(each["state"], each["attempts"], each["result"]) for each in page["runs"]] == [
        ("done", 1, "released 2026-03-09 (ana)")
    ]
    assert audit == [
        ["tocsin", "retraining due", "default/digits"],
        ["tocsin", "retraining done", "default/digits"],
        ["ana", "retraining closed", "default/digits"],
    ]

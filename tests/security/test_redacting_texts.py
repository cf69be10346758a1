"""What the rules take out is the same wherever it happens: in rows by the engine, in dead letters by Python."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from tests.collector.conftest import Run
from tests.collector.sending import eventually, pair, trace_request

from tocsin_collector.errors import RuleProblem, StoreRejected
from tocsin_collector.privacy.bodies import redacted_body, redacted_text
from tocsin_collector.privacy.redaction import PRESETS, Redaction
from tocsin_collector.privacy.rule_trial import require_runnable, tried
from tocsin_collector.store.database import Database
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest

ALL = (*PRESETS.values(), Redaction(name="ticket", pattern=r"(?:T|t)-(\d{2})\d+", fields=("tocsin.input.*",)))
CARD, NO_CARD = "4111 1111 1111 1111", "4111 1111 1111 1112"
TEXTS = [
    "",
    "nothing in here",
    f"pay with {CARD}, not with {NO_CARD}; again {CARD}",
    "4111111111111111" * 2,
    "a@b.io, ä@b.io, A.b+c@d-e.example.com.",
    "DE89 3704 0044 0532 0130 00 and GB82WEST12345698765432",
    "078-05-1120 666-12-3456 1078-05-1120",
    "Bearer abcdefghijklmnop123 bearer\tx",
    "sk-abcdefghijklmnopqrstuvwxyz tk_0a_" + "f" * 64,
    "T-1234 t-99 T-999",
    "line one a@b.io\nline two it's \\ quoted ٤١١١١١١١١١١١١١١١",
]


@pytest.mark.parametrize("key", [None, "tocsin.input.subject", "http.url", "tocsin.call.id"])
def test_python_and_the_engine_take_out_the_same(database: Database, key: str | None) -> None:
    """Two readings of one rule would let a dead letter keep what its row would not."""
    for text in TEXTS:
        assert redacted_text(text, key, ALL) == tried(database, ALL, text, key=key).text, text


def test_a_trial_names_the_rules_that_matched(database: Database) -> None:
    """In their order, so that one can see which came first."""
    trial = tried(database, ALL, f"a@b.io paid with {CARD}")

    assert trial.text == "[redacted:email] paid with [redacted:card-number]"
    assert trial.rules == ["card-number", "email"]


def test_a_rule_that_the_engine_refuses_is_named_at_start(database: Database) -> None:
    """What Python reads and the engine does not would stop every segment."""
    odd = Redaction(name="odd", pattern=r"(?s:a.b)(?a:x)|\x41{2,3}")

    require_runnable(database, ALL)
    with pytest.raises(RuleProblem, match="redaction odd"):
        require_runnable(database, (*ALL, odd))


def test_a_body_is_redacted_wherever_a_text_can_be() -> None:
    """Attributes of every level, nested values, names, statuses, events, links, and a card written as a number."""
    request = trace_request(1, note="mail a@b.io")
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.name, span.status.message = "to a@b.io", "from a@b.io"
    span.events.add(name="e", attributes=[pair("x", "a@b.io")])
    span.links.add(attributes=[pair("x", "a@b.io")])
    nested = AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=AnyValue(string_value="a@b.io"))]))
    listed = AnyValue(array_value=ArrayValue(values=[nested, AnyValue(string_value="a@b.io")]))
    span.attributes.extend(
        [pair("deep", listed), pair("card", int(CARD.replace(" ", ""))), pair("tocsin.call.id", "a@b.io")]
    )
    request.resource_spans[0].resource.attributes.append(pair("host", "a@b.io"))

    body = redacted_body("traces", request.SerializeToString(), ALL)

    kept = ExportTraceServiceRequest.FromString(body)
    assert body.count(b"a@b.io") == 1  # the call's id: outcomes are joined by it
    assert b"[redacted:email]" in body
    said = {each.key: each.value for each in kept.resource_spans[0].scope_spans[0].spans[0].attributes}
    assert said["card"].string_value == "[redacted:card-number]"


def test_logs_and_outcomes_are_redacted_too() -> None:
    """Comments are where people write names."""
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(body=AnyValue(string_value="a@b.io"))
    call = CallRef(use_case="u", call_id="a@b.io", segments={"mail": "a@b.io"})
    outcomes = RecordOutcomesRequest(outcomes=[Outcome(call=call, comment="a@b.io", author="a@b.io")])

    assert b"a@b.io" not in redacted_body("logs", logs.SerializeToString(), ALL)
    kept = RecordOutcomesRequest.FromString(redacted_body("outcomes", outcomes.SerializeToString(), ALL)).outcomes[0]
    assert (kept.comment, kept.author, kept.call.segments["mail"]) == ("[redacted:email]",) * 3
    assert kept.call.call_id == "a@b.io"


def test_a_body_without_a_match_stays_as_it_came() -> None:
    """Byte for byte: a dead letter is evidence of what was sent. What cannot be read is not kept under rules."""
    body = trace_request(1).SerializeToString()

    assert redacted_body("traces", body, ALL) == body
    assert redacted_body("traces", b"\xff a@b.io", ALL) == b""
    assert redacted_body("traces", b"\xff a@b.io", ()) == b"\xff a@b.io"


class _Refusing:
    """A store that refuses whatever holds an address."""

    def insert(self, segment: Any) -> None:
        """Refuse, or store nothing."""
        self.check(segment.kind, segment.path)

    try_out = insert

    def check(self, _kind: str, path: Path) -> None:
        """Refuse, or say nothing."""
        if b"a@b.io" in path.read_bytes():
            raise StoreRejected(f"cannot decode {path.name}")


def test_a_dead_letter_is_redacted_before_it_is_written(run: Run, database: Database) -> None:
    """The rules promise that nothing reaches a table, and this is one."""
    collector, client = run(store=_Refusing(), redactions=ALL)

    client.export(trace_request(1, note="mail a@b.io"))
    eventually(lambda: collector.stats().dead_lettered_spans == 1)

    (letter,) = database.rows("SELECT hex(body) AS body FROM dead_letters FINAL")
    assert b"[redacted:email]" in bytes.fromhex(letter["body"])
    assert b"a@b.io" not in bytes.fromhex(letter["body"])


def test_the_verb_shows_what_would_be_stored(tmp_path: Path) -> None:
    """By the engine itself, without a server, a folder, or anything written."""
    (tmp_path / "tocsin.yaml").write_text("redact: [email, card-number]\n")
    command = [sys.executable, "-m", "tocsin_console", "redact", "test", f"a@b.io {CARD}", "--json"]

    done = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["text"] == "[redacted:email] [redacted:card-number]"
    assert {each.name for each in tmp_path.iterdir()} == {"tocsin.yaml"}

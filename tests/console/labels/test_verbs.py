"""`tocsin outcomes load` and `contradictory`, through a real API."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.console.test_api import status
from tests.instrumentation.conftest import collector as outside

__all__ = ["outside"]

Tocsin = Callable[..., Any]
STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def outcome(call: str, label: str, source: str) -> dict[str, Any]:
    """One row of `outcomes`."""
    return {
        "project": "default",
        "use_case": "triage",
        "call_id": call,
        "started_at": STARTED,
        "kind": "ground_truth",
        "source": source,
        "outcome_id": f"{call}{source}",
        "observed_at": STARTED,
        "label": label,
        "segments": {},
        "ingested_at": STARTED,
    }


def test_a_script_reads_one_document(running: Any, tocsin: Tocsin, tmp_path: Path) -> None:
    """Counts, columns, findings with their lines, and exit code 1 for what a person must look at."""
    file, findings = tmp_path / "labels.csv", tmp_path / "findings.csv"
    file.write_text("Order,Category,Colour\no-1,billing,red\no-1,billing,red\n,hardware,red\n")

    result = tocsin(
        "outcomes",
        "load",
        str(file),
        "--map",
        "key=Order",
        "--label",
        "Category",
        "--findings",
        str(findings),
        "--json",
    )

    said = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (said["rows"], said["recorded"], said["unmatched"], said["duplicate"], said["malformed"]) == (3, 1, 1, 1, 1)
    assert (said["columns"], said["unused_columns"]) == ({"key": "Order", "label": "Category"}, ["Colour"])
    assert [(one["line"], one["what"]) for one in said["findings"]] == [
        (3, "duplicate"),
        (4, "malformed"),
        (2, "waiting"),
    ]
    assert findings.read_text().splitlines()[1] == "3,duplicate,line 2 says the same"
    assert [each["call"]["key"] for each in running.outcomes.taken] == ["o-1"]


def test_a_person_reads_sentences(running: Any, tocsin: Tocsin, tmp_path: Path) -> None:
    """Of a Parquet file, with more rows than an ordinary request may bring, and nothing recorded in a dry run."""
    file = tmp_path / "labels.parquet"
    rows = 9_000
    keys = [f"{'x' * 100}-{n}" for n in range(rows)]
    parquet.write_table(pa.table({"key": keys, "score": [0.5] * rows, "comment": [None] * rows}), file)

    result = tocsin("outcomes", "load", str(file), "--kind", "review", "--dry-run")

    assert result.exit_code == 0
    assert "9,000 rows, 0 recorded (dry run)" in result.stdout
    assert "unmatched      9,000  wait until their calls arrive" in result.stdout
    assert running.outcomes.taken == []


@pytest.mark.parametrize(
    ("content", "words"), [("label\nx\n", "which call it is about"), ("", "expected a first line")]
)
@pytest.mark.usefixtures("running")
def test_a_file_that_cannot_be_loaded_is_a_usage_problem(
    tocsin: Tocsin, tmp_path: Path, content: str, words: str
) -> None:
    """Exit code 2 and a sentence."""
    file = tmp_path / "labels.csv"
    file.write_text(content)

    result = tocsin("outcomes", "load", str(file))

    assert result.exit_code == 2
    assert words in result.output


def test_without_a_server_it_says_what_to_start(
    tocsin: Tocsin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it has tried for a while."""
    monkeypatch.setattr("tocsin_console.labels.loading._PATIENCE_S", ())
    file = tmp_path / "labels.csv"
    file.write_text("key,label\na,x\n")

    result = tocsin("outcomes", "load", str(file), "--api", "127.0.0.1:9")

    assert result.exit_code == 3
    assert "tocsin up" in result.output


def test_where_the_api_has_no_collector_one_is_named(
    running: Any, tocsin: Tocsin, tmp_path: Path, outside: Any
) -> None:
    """Over a server the parts run apart: the console looks up, the collector records."""
    file = tmp_path / "labels.csv"
    file.write_text("key,label\na,x\na,x\n,x\n")

    result = tocsin("outcomes", "load", str(file), "--collector", outside.endpoint, "--json")

    said = json.loads(result.stdout)
    assert (said["recorded"], said["duplicate"], said["malformed"]) == (1, 1, 1)
    assert [(each.call.key, each.label) for each in outside.outcomes] == [("a", "x")]
    assert running.outcomes.taken == []


def test_contradictory_labels_are_listed_and_in_the_status(running: Any, tocsin: Tocsin) -> None:
    """Nobody looks for them who does not hear of them."""
    rows = [outcome("c1", "billing", "ana"), outcome("c1", "hardware", "ben"), outcome("c2", "billing", "ana")]
    running.database.insert("outcomes", rows)

    listed = tocsin("outcomes", "contradictory", "--json")
    table = tocsin("outcomes", "contradictory", "--use-case", "triage")
    other = tocsin("outcomes", "contradictory", "--use-case", "other")
    running.statuses.append(status(running.parts.now(), use_case="triage"))
    told = tocsin("status")

    assert "of 1 calls say different things: see 'tocsin outcomes contradictory'" in told.stdout
    assert (listed.exit_code, table.exit_code, other.exit_code) == (1, 1, 0)
    [call] = json.loads(listed.stdout)
    assert (call["call_id"], sorted(call["labels"]), call["outcomes"]) == ("c1", ["billing", "hardware"], 2)
    assert "billing, hardware" in table.stdout
    running.database.command("TRUNCATE TABLE outcomes")

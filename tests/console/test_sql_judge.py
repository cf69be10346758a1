"""A team's own SQL: refused before it is described or run, with file and line."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tocsin_collector.store.database import Database
from tocsin_console import rulebook
from tocsin_console.config import Config

Tocsin = Callable[..., Any]
GOOD = """    SELECT
        project, use_case, toDateTime64({until:DateTime64(3)}, 3, 'UTC') AS slot,
        toFloat64(sum(calls)) AS value, toUInt64(sum(calls)) AS n
    FROM ai_calls_1h
    WHERE hour > {since:DateTime64(3)} AND {step_s:UInt32} > 0
    GROUP BY project, use_case
"""
HEAD = "rule: own\nsummary: s\nseverity: ticket\nwhen: value > 5\nsql: |\n"
EVALUATOR = """/*
summary = "s"
unit    = "calls"
params  = { since = "DateTime64(3)", until = "DateTime64(3)", step_s = "UInt32" }

[columns]
project  = "String"
use_case = "String"
slot     = "DateTime64(3, 'UTC')"
value    = "Float64"
n        = "UInt64"
*/
-- As many calls as there are.
"""


def findings(config: Config, store: Database, name: str, text: str) -> list[str]:
    """Read a folder with one file of a team's."""
    config.rules_dir.mkdir(exist_ok=True)
    (config.rules_dir / name).write_text(text)
    return list(rulebook.read(config, query=store).findings)


def test_one_select_over_this_stores_tables_is_taken(config: Config, store: Database) -> None:
    """With the settings that shipped evaluators end with, since people begin by copying one."""
    text = GOOD + "    SETTINGS compile_expressions = 0, short_circuit_function_evaluation = 'disable'\n"

    assert findings(config, store, "own.yaml", HEAD + text) == []
    assert findings(config, store, "mine.sql", EVALUATOR + text) == []


@pytest.mark.server
def test_a_server_judges_as_the_embedded_engine_does(config: Config, server_database: Database) -> None:
    """A server explains in another way than the embedded engine: unread, every rule with SQL of its own would be refused."""
    assert findings(config, server_database, "own.yaml", HEAD + GOOD) == []

    [refused] = findings(config, server_database, "own.yaml", HEAD + GOOD.replace("ai_calls_1h", "system.users"))

    assert "system.users" in refused


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("SELECT\n", "INSERT INTO ai_calls_1h SELECT\n"), 1, "expected a statement that reads"),
        (("SELECT\n", "SHOW TABLES; SELECT\n"), 1, "expected one statement"),
        (("FROM ai_calls_1h\n", "FROM file('/etc/passwd', 'LineAsString')\n"), 1, "it reaches beyond this store"),
        (("FROM ai_calls_1h\n", "FROM url('http://127.0.0.1:1/x', 'CSV', 'a String')\n"), 1, "beyond this store"),
        (("FROM ai_calls_1h\n", "FROM system.processes\n"), 1, "expected tables of"),
        (("FROM ai_calls_1h\n", "FROM ingest_keys\n"), 1, "not readable here"),
        (("GROUP BY project, use_case\n", "GROUP BY ALL SETTINGS max_memory_usage = 0\n"), 1, "expected no SETTINGS"),
        (("sum(calls)) AS value", "sum(cals)) AS value"), 3, "cals"),
        (("FROM ai_calls_1h\n", "FRM ai_calls_1h\n"), 4, "Syntax error"),
        ((", toUInt64(sum(calls)) AS n", ""), 1, "got no 'n' among"),
        (
            ("toUInt64(sum(calls)) AS n", "toString(sum(calls)) AS n"),
            1,
            "expected 'n' to be UInt64, never NULL, got String",
        ),
        (("toUInt64(sum(calls)) AS n", "toNullable(toUInt64(1)) AS n"), 1, "got Nullable(UInt64)"),
        (("toFloat64(sum(calls)) AS value", "'many' AS value"), 1, "expected 'value' to be Nullable(Float64)"),
        (
            ("toDateTime64({until:DateTime64(3)}, 3, 'UTC') AS slot", "{until:DateTime64(3)} > 0 AS slot"),
            1,
            "expected 'slot'",
        ),
    ],
)
@pytest.mark.parametrize("where", ["rule", "evaluator"])
def test_other_sql_is_refused_with_its_line(
    config: Config, store: Database, *, change: tuple[str, str], line: int, message: str, where: str
) -> None:
    """It would run at every slot with the engine's own rights, or fail at three in the morning."""
    assert change[0] in GOOD
    text = GOOD.replace(*change)
    name, head = ("own.yaml", HEAD) if where == "rule" else ("mine.sql", EVALUATOR)

    found = findings(config, store, name, head + text)

    assert len(found) == 1, found
    path, at, said = found[0].split(":", 2)
    assert path.endswith(name)
    assert message in said
    first = head.count("\n") + 1
    assert int(at) >= first - (where == "rule")
    if line > 1:
        assert int(at) == first + line - 1


def test_a_rule_on_a_field_that_does_not_exist_is_named_with_near_matches(
    tocsin: Tocsin, config: Config, running: Any
) -> None:
    """It would be quiet for ever, and look as if all were well. Before the first call nothing can be said."""
    config.rules_dir.mkdir()
    text = GOOD.replace(
        "ai_calls_1h", "(SELECT project, use_case, hour, n AS calls FROM input_histogram_1h WHERE field = 'inkk')"
    )
    (config.rules_dir / "own.yaml").write_text(HEAD + text)
    before = json.loads(tocsin("rules", "check", "--json").stdout)["findings"]
    row = {
        "project": "default",
        "use_case": "u",
        "kind": "number",
        "field": "ink",
        "hour": datetime(2026, 3, 2, tzinfo=UTC),
        "n": 1,
    }
    running.database.insert("input_histogram_1h", [row])

    result = tocsin("rules", "check")

    assert before == []
    assert result.exit_code == 1
    assert "no call has an input field 'inkk': did you mean 'ink'?" in result.stdout


def test_check_judges_sql_while_nothing_runs(config: Config) -> None:
    """In CI there is no store: an engine over empty tables judges as well."""
    config.rules_dir.mkdir()
    (config.rules_dir / "own.yaml").write_text(HEAD + GOOD.replace("FROM ai_calls_1h", "FROM file('/etc/passwd')"))
    command = [
        sys.executable,
        "-m",
        "tocsin_console",
        "rules",
        "check",
        "--config",
        str(config.rules_dir.parent / "tocsin.yaml"),
    ]
    Path(command[-1]).write_text("")

    result = subprocess.run(command, cwd=config.rules_dir.parent, capture_output=True, text=True, check=False)

    assert result.returncode == 1, result.stderr
    assert "own.yaml" in result.stdout
    assert "reaches beyond this store" in result.stdout

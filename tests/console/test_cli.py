"""The verbs, through a real API."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tocsin_collector.store.database import Database

Tocsin = Callable[..., Any]
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

READING = (
    ("status",),
    ("query", "SELECT 1 AS one"),
    ("alerts", "list"),
    ("outcomes", "contradictory"),
    ("rules", "list"),
    ("rules", "check"),
    ("rules", "budget"),
    ("reference", "show"),
    ("release", "list"),
    ("guard", "show"),
    ("use-cases", "ls"),
    ("use-cases", "map"),
    ("plan", "check"),
    ("doctor",),
)
NEED_A_SERVER = tuple(verb for verb in READING if verb[0] not in {"rules", "plan"} and verb != ("use-cases", "map"))


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("verb", READING, ids=" ".join)
def test_json_is_one_document_and_nothing_else(tocsin: Tocsin, verb: tuple[str, ...]) -> None:
    """A script parses stdout whole."""
    result = tocsin(*verb, "--json")

    assert result.exit_code in (0, 1)
    json.loads(result.stdout)


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("verb", READING, ids=" ".join)
def test_every_verb_speaks_to_people_too(tocsin: Tocsin, verb: tuple[str, ...]) -> None:
    """On an empty store as well: that is what a new user sees first."""
    result = tocsin(*verb)

    assert result.exit_code in (0, 1)
    assert result.stdout.strip()


@pytest.mark.parametrize("verb", NEED_A_SERVER, ids=" ".join)
def test_without_a_server_one_sentence_says_what_to_start(tocsin: Tocsin, verb: tuple[str, ...]) -> None:
    """And exit code 3, which a script can wait on."""
    result = tocsin(*verb, "--api", "127.0.0.1:9")

    assert result.exit_code == 3
    assert "tocsin up" in result.output
    assert "Traceback" not in result.output


def test_an_error_under_json_is_one_document_too(tocsin: Tocsin) -> None:
    """A script must not have to tell sentences from documents."""
    result = tocsin("status", "--json", "--api", "127.0.0.1:9")

    assert json.loads(result.stdout)["exit_code"] == 3


@pytest.mark.usefixtures("running")
def test_a_query_prints_a_table_of_what_is_there(tocsin: Tocsin) -> None:
    """Square brackets in data are data, not markup."""
    result = tocsin("query", "SELECT '[bold]x[/bold]' AS answer, NULL AS nothing, [1, 2] AS list")

    assert "[bold]x[/bold]" in result.stdout
    assert "1, 2" in result.stdout


@pytest.mark.usefixtures("running")
def test_a_query_that_writes_is_a_usage_error(tocsin: Tocsin) -> None:
    """The gate's sentence reaches the terminal."""
    result = tocsin("query", "DROP TABLE calls")

    assert result.exit_code == 2
    assert "expected a statement that reads" in result.output


def test_the_guard_is_set_in_somebodys_name(running: Any, tocsin: Tocsin) -> None:
    """An audit log without a person is no audit log."""
    assert tocsin("guard", "set", "digits", "fallback", "--because", "bad answers", "--by", "ana").exit_code == 0
    assert tocsin("guard", "release", "digits", "--by", "ana").exit_code == 0

    assert running.guard.done[0] == ("set", "default", "digits", "fallback", "ana", "bad answers")
    assert running.guard.done[2] == ("release", "default", "digits", "ana")


def test_an_outcome_is_passed_on_with_its_author(running: Any, tocsin: Tocsin) -> None:
    """``--wrong`` is a label too."""
    result = tocsin("outcomes", "add", "t1.abc", "--wrong", "--by", "ana", "--minutes", "3")

    assert result.exit_code == 0
    assert running.outcomes.taken == [
        {"handle": "t1.abc", "kind": "review", "source": "console", "author": "ana", "comment": "", "correct": False,
         "minutes": 3.0}
    ]  # fmt: skip


@pytest.mark.usefixtures("running")
def test_a_refused_outcome_is_a_finding(tocsin: Tocsin) -> None:
    """With the collector's reason."""
    result = tocsin("outcomes", "add", "bad", "--score", "0.5")

    assert result.exit_code == 1
    assert "expected a call handle" in result.output


@pytest.mark.usefixtures("running")
def test_an_outcome_without_a_truth_is_a_usage_error(tocsin: Tocsin) -> None:
    """Nothing would be recorded by it."""
    assert tocsin("outcomes", "add", "t1.abc").exit_code == 2


def test_a_plan_is_written_from_flags_and_its_open_questions_are_named(tocsin: Tocsin) -> None:
    """What nobody answered is shown, never guessed."""
    made = tocsin("plan", "init", "digits", "--set", "quality.floor=0.9", "--set", "owner=vision: team", "--json")
    checked = tocsin("plan", "check")

    said = json.loads(made.stdout)
    assert Path(said["file"]).read_text().startswith("# The plan of one use case")
    assert said["plan"]["quality"]["floor"] == 0.9
    assert said["plan"]["owner"] == "vision: team"
    assert len(said["unanswered"]) == 5
    assert checked.exit_code == 1
    assert "quality.measure" in checked.stdout


def test_a_plan_reads_its_answers_from_a_file(tocsin: Tocsin) -> None:
    """Nested or dotted, as a team keeps them."""
    Path("answers.yaml").write_text("quality: {measure: accuracy, floor: 0.9}\nlabels.delay: 5d\n")

    said = json.loads(tocsin("plan", "init", "digits", "--answers", "answers.yaml", "--json").stdout)

    assert said["plan"]["labels"]["delay"] == "5d"
    assert said["plan"]["quality"]["measure"] == "accuracy"


@pytest.mark.parametrize("answer", ["quality.flor=0.9", "quality.floor=90", "nonsense"])
def test_an_answer_that_does_not_fit_writes_no_plan(tocsin: Tocsin, answer: str) -> None:
    """Half a plan would be believed."""
    result = tocsin("plan", "init", "digits", "--set", answer)

    assert result.exit_code == 2
    assert not Path("use_cases/digits.yaml").exists()


def test_a_plan_is_not_written_over(tocsin: Tocsin) -> None:
    """It is the team's text."""
    assert tocsin("plan", "init", "digits", "--set", "owner=a").exit_code == 0
    assert tocsin("plan", "init", "digits", "--set", "owner=b").exit_code == 2
    assert tocsin("plan", "init", "digits", "--set", "owner=b", "--force").exit_code == 0


def test_a_broken_plan_is_a_finding_with_its_line(tocsin: Tocsin) -> None:
    """Found before ``up`` refuses to start."""
    Path("use_cases").mkdir()
    Path("use_cases/digits.yaml").write_text("use_case: digits\nquality:\n  flor: 0.9\n")

    result = tocsin("plan", "check")

    assert result.exit_code == 1
    assert "digits.yaml:3" in result.stdout
    assert "floor" in result.stdout


def test_a_rule_with_an_unknown_evaluator_is_a_finding_with_its_line(tocsin: Tocsin) -> None:
    """And the nearest valid name."""
    Path("rules").mkdir()
    Path("rules/mine.yaml").write_text(
        "rule: mine\nsummary: mine\nseverity: page\nevaluator: acuracy\nwhen: value < 0.9\n"
    )

    result = tocsin("rules", "check", "--json")

    assert result.exit_code == 1
    assert any("mine.yaml:4" in each and "'accuracy'" in each for each in json.loads(result.stdout)["findings"])


def test_a_rule_that_names_an_unknown_template_is_refused_with_the_nearest(tocsin: Tocsin) -> None:
    """Found at three in the morning, it would be a page in the fallback text."""
    Path("rules").mkdir()
    Path("rules/mine.yaml").write_text(
        "rule: mine\nsummary: mine\nseverity: page\nevaluator: accuracy\nwhen: value < 0.9\ntemplate: firring\n"
    )

    result = tocsin("rules", "check", "--json")

    assert result.exit_code == 1
    findings = json.loads(result.stdout)["findings"]
    assert any("mine.yaml" in each and "firring" in each and "firing" in each for each in findings), findings


@pytest.mark.usefixtures("running")
def test_a_mapping_is_written_and_told_to_the_running_server(tocsin: Tocsin) -> None:
    """Calls from now on carry the new name."""
    result = tocsin("use-cases", "map", "--service", "billing", "--to", "invoices", "--json")

    assert json.loads(result.stdout)[0]["use_case"] == "invoices"
    assert "running tocsin" in result.stderr
    assert "invoices" in Path("tocsin.yaml").read_text()


@pytest.mark.usefixtures("running")
def test_stored_calls_are_moved_when_asked(tocsin: Tocsin, store: Database) -> None:
    """A feature that was watched for weeks under a made-up name keeps its history when it gets its own."""
    arrived = datetime.now(UTC)  # retention counts from arrival: what never arrived is gone at once
    call = {"project": "default", "use_case": "billing/gpt", "started_at": NOW, "call_id": "c1", "ingested_at": arrived}
    store.insert("ai_calls", [call])

    result = tocsin("use-cases", "map", "--service", "billing", "--to", "invoices", "--stored", "billing/gpt")

    assert result.exit_code == 0, result.stderr
    assert "moved 1 calls" in result.stderr
    assert store.rows("SELECT use_case FROM ai_calls WHERE call_id = 'c1'") == [{"use_case": "invoices"}]


@pytest.mark.parametrize("words", [("version", "--json"), ("run", "--help")])
def test_run_and_version_start_without_the_servers_libraries(words: tuple[str, ...]) -> None:
    """They are used in every process of a service, where half a second each is felt."""
    script = (
        "import sys; from tocsin_console.__main__ import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'typer', 'rich', 'chdb', 'clickhouse_connect', 'starlette', 'pydantic', 'yaml', 'grpc'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script, *words], check=True, capture_output=True)


def test_run_starts_the_command_with_instrumentation_and_its_exit_code(tmp_path: Path) -> None:
    """The command is the service's own; tocsin only stands before it."""
    script = (
        "import os, sys; print(os.environ['TOCSIN_USE_CASE'], '_bootstrap' in os.environ['PYTHONPATH']); sys.exit(7)"
    )
    command = [
        sys.executable,
        "-m",
        "tocsin_console",
        "run",
        "--use-case",
        "digits",
        "--",
        sys.executable,
        "-S",
        "-c",
        script,
    ]

    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)

    assert (done.returncode, done.stdout.split()) == (7, ["digits", "True"])


def test_run_says_that_a_command_does_not_exist() -> None:
    """With the shell's own exit code."""
    command = [sys.executable, "-m", "tocsin_console", "run", "--", "no-such-command-anywhere"]

    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 127
    assert "no-such-command-anywhere" in done.stderr

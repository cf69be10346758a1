"""``rules test``, ``dry-run`` and ``backtest`` through a real API."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tocsin_console.cli.backtest_chart import bars
from tocsin_console.config import Config

Tocsin = Callable[..., Any]
HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # the fixture's now
SILENT = """rule: many
summary: many calls
evaluator: volume
every: 1h
severity: page
when: value > 50
tests:
  - name: many calls fire
    samples:
      - {slot: 0, value: 60}
    expect:
      - {slot: 0, state: firing}
"""


@pytest.fixture
def folder(config: Config) -> Path:
    """The team's folder of rules, with one."""
    config.rules_dir.mkdir()
    (config.rules_dir / "many.yaml").write_text(SILENT)
    return config.rules_dir


@pytest.fixture
def busy(running: Any) -> Any:
    """Calls of two days, with two busy hours."""
    zero = dict.fromkeys(("probes", "errors", "retries", "unpriced", "confident", "cost"), 0)
    rows = [
        {
            "project": "default",
            "use_case": "busy",
            "hour": NOON - at * HOUR,
            "calls": 100 if at in (5, 20) else 10,
            **zero,
        }
        for at in range(1, 49)
    ]
    running.database.insert("ai_calls_1h", [{**row, "served_by": "model", "currency": ""} for row in rows])
    return running


def test_stories_pass_or_are_shown_as_a_diff(tocsin: Tocsin, folder: Path) -> None:
    """Exit 1 fails CI, and the diff says what to mend, with file and line."""
    good = tocsin("rules", "test", "many")
    (folder / "many.yaml").write_text(SILENT.replace("value: 60", "value: 40"))
    bad = tocsin("rules", "test", "many")
    document = json.loads(tocsin("rules", "test", "many", "--json").stdout)

    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "1 tests of 1 rules, 0 failed" in good.stdout
    assert "many.yaml:8: many: many calls fire" in bad.stdout
    assert "    - slot 0 firing" in bad.stdout
    assert document["tests"][0]["diff"] == ["- slot 0 firing"]


@pytest.mark.usefixtures("busy", "folder")
def test_a_backtest_counts_draws_and_fails_over_its_limit(tocsin: Tocsin) -> None:
    """What a new rule would have done to the last two days, before it pages anybody."""
    span = ("--from", "2026-03-01", "--to", "2026-03-02T12:00")
    result = tocsin("rules", "backtest", "many", *span)
    limited = tocsin("rules", "backtest", "many", *span, "--max-fires", "1")
    [found] = json.loads(tocsin("rules", "backtest", "many", *span, "--json").stdout)["rules"]

    assert (result.exit_code, limited.exit_code) == (0, 1)
    assert "█" in result.stdout
    assert "fired 2026-03-01 17:00:00, resolved 2026-03-01 18:00:00" in result.stdout
    assert (found["fired"], found["flapped"], found["incidents"], found["firing_s"]) == (2, 1, 2, 7200)
    assert "more incidents than it may" in limited.output


@pytest.mark.usefixtures("busy", "folder")
def test_a_backtest_is_drawn_into_a_file(tocsin: Tocsin, tmp_path: Path) -> None:
    """A picture goes into a pull request; a terminal does not."""
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    file = tmp_path / "backtest.svg"

    result = tocsin("rules", "backtest", "many", "--from", "2026-03-01", "--to", "2026-03-02T12:00", "--chart", file)

    assert result.exit_code == 0
    drawn = file.read_text()
    assert drawn.startswith("<svg")
    assert ">many: busy<" in drawn
    assert ">many: fired 2, 2 incidents, 1 flapped<" in drawn


def test_a_chart_shows_the_series_that_fired_longest_and_says_how_many_more() -> None:
    """A rule over a hundred fields would be a picture that nobody reads."""
    hours = [(NOON, NOON + at * HOUR if at % 7 else None) for at in range(1, 61)]
    series = [
        {
            "project": "default",
            "use_case": "u",
            "labels": {"field": f"f{at}"},
            "fired": 1,
            "spans": [(a.isoformat(), b and b.isoformat())],
        }
        for at, (a, b) in enumerate(hours, start=1)
    ]
    found = {
        "rule": "drift",
        "severity": "ticket",
        "since": NOON.isoformat(),
        "until": (NOON + 99 * HOUR).isoformat(),
        "series": series,
    }

    drawn = bars([found])

    assert len(drawn) == 40
    assert drawn[0] == {
        "series": "drift: u field=f7",
        "severity": "ticket",
        "begun": NOON.isoformat(),
        "ended": found["until"],
    }
    assert drawn[-1]["series"] == "drift: u field=f24"


@pytest.mark.parametrize(
    ("file", "words"), [("chart.pdf", "ends in .svg or .png"), ("nowhere/chart.svg", "make it first")]
)
@pytest.mark.usefixtures("busy", "folder")
def test_a_chart_that_cannot_be_drawn_is_refused_first(tocsin: Tocsin, file: str, words: str) -> None:
    """Not after a year of history has been evaluated."""
    result = tocsin("rules", "backtest", "many", "--from", "2026-03-01", "--chart", file)

    assert result.exit_code == 2
    assert words in " ".join(result.output.split())


def test_a_trial_keeps_nothing(tocsin: Tocsin, busy: Any, folder: Path) -> None:
    """No state, no event, no sample, no notification."""
    tables = ("evaluations", "alert_events", "alert_state", "rule_runs", "notifications")
    tocsin("rules", "backtest", "many", "--from", "2026-03-01")
    tocsin("rules", "dry-run", "many")

    assert [busy.database.rows(f"SELECT count() AS n FROM {table}")[0]["n"] for table in tables] == [0] * 5
    assert folder.exists()


@pytest.mark.usefixtures("busy", "folder")
def test_a_dry_run_says_what_the_rules_of_the_files_would_do_now(tocsin: Tocsin) -> None:
    """The file's rule, whatever the running engine read at its start."""
    judged = json.loads(tocsin("rules", "dry-run", "many", "--json").stdout)

    assert [(each["use_case"], each["says"], each["why"]) for each in judged] == [("busy", "quiet", "value 10 > 50")]


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("dry-run", "volum"), "did you mean 'volume'"),
        (("backtest", "volume", "--from", "yesterday"), "expected a day or a time"),
        (("backtest", "volume", "--from", "2027-01-01"), "expected --from before"),
    ],
)
def test_what_cannot_be_tried_is_said_in_one_sentence(tocsin: Tocsin, words: tuple[str, ...], message: str) -> None:
    """A typing error must not look like a quiet rule."""
    result = tocsin("rules", *words)

    assert result.exit_code == 2
    assert message in result.output

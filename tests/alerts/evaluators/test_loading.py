"""Evaluator files: what a wrong one is told, and that the shipped ones say of themselves what the engine says."""

from pathlib import Path

import pytest
from tests.alerts.evaluators.store import DAY, EVALUATORS, MONDAY, SETTABLE, Store

from tocsin_alerts.errors import EvaluatorError
from tocsin_alerts.evaluator import OUTCOMES, evaluate, load_evaluators, parse

GOOD = """/*
summary = "One"
unit = "share"
params = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project = "String"
use_case = "String"
field = "String"
slot = "DateTime64(3, 'UTC')"
value = "Nullable(Float64)"
n = "UInt64"
*/
-- A comment with {braces:NotAType} is not a placeholder.
SELECT 'p' AS project, 'u' AS use_case, 'f' AS field, toDateTime64({until:DateTime('UTC')}, 3, 'UTC') AS slot,
    CAST(nan, 'Nullable(Float64)') AS value, toUInt64({step_s:UInt32} + 0 * toUnixTimestamp({since:DateTime('UTC')})) AS n
"""


@pytest.mark.parametrize("name", sorted(EVALUATORS))
def test_columns_are_what_the_engine_describes(name: str, store: Store) -> None:
    """Rules are checked against the header without asking an engine, so it has to be true on both."""
    evaluator = EVALUATORS[name]
    values = {"since": MONDAY - DAY, "until": MONDAY, "step_s": 86_400, **SETTABLE}

    described = store.database.rows(f"DESCRIBE ({evaluator.sql})", {name: values[name] for name in evaluator.params})

    assert {row["name"]: row["type"] for row in described} == dict(evaluator.columns)
    assert [row["name"] for row in described] == list(evaluator.columns)


@pytest.mark.parametrize("name", sorted(EVALUATORS))
def test_an_empty_store_gives_no_samples(name: str, store: Store) -> None:
    """The first tick of a fresh installation must not fail."""
    extra = {param: value for param, value in SETTABLE.items() if param in EVALUATORS[name].params}

    assert store.run(name, **extra) == []


@pytest.mark.parametrize("name", sorted(name for name, each in EVALUATORS.items() if each.outcomes))
def test_an_evaluator_has_no_row_without_the_outcomes_that_it_names(name: str, store: Store) -> None:
    """It is not asked where nobody has sent any: that must be what it would have answered."""
    at = MONDAY - 9 * DAY
    store.calls(at, 500)
    store.calibration([0], [0.9], [500])
    others = sorted({*OUTCOMES} - EVALUATORS[name].outcomes)
    facts = {"started_at": at, "confidence": 0.9, "correct": 0, "score": 0.2, "value": 1.0, "predicted_value": 2.0}
    store.outcomes([{**facts, "kind": kind} for kind in others for _ in range(60)])

    samples = store.run(name, since=MONDAY - 3 * DAY)

    assert samples == []


def test_a_good_file_is_read_whole(store: Store) -> None:
    """What is not a fixed column is a label; NaN is not a number to compare with."""
    evaluator = parse(GOOD, path="folder/one.sql")

    samples = evaluate(store.database, evaluator, since=MONDAY - DAY, until=MONDAY, step_s=86_400)

    assert (evaluator.name, evaluator.labels, len(evaluator.hash)) == ("one", ("field",), 64)
    assert "--" not in evaluator.sql
    assert [(s.labels, s.slot, s.value, s.lower, s.baseline, s.n) for s in samples] == [
        ({"field": "f"}, MONDAY, None, None, None, 86_400)
    ]


def test_one_stream_can_be_asked_for_alone(store: Store) -> None:
    """Evidence asks for one use case; the others must not cost or leak."""
    evaluator = parse(GOOD, path="one.sql")

    def ask(use_case: str) -> int:
        span = {"since": MONDAY - DAY, "until": MONDAY, "step_s": 86_400}
        return len(evaluate(store.database, evaluator, **span, only=("p", use_case)))

    assert (ask("u"), ask("other")) == (1, 0)


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ("", "/*", "one.sql:1: expected a header"),
        ('summary = "One', 'summary = "One"', "one.sql:2: the header is not TOML"),
        (
            'unit = "share"\noutcomes = ["reviews"]',
            'unit = "share"',
            "one.sql:4: unknown kind of outcome 'reviews'.*did you mean 'review'",
        ),
        ('summry = "One"', 'summary = "One"', "one.sql:2: unknown header key 'summry'.*did you mean 'summary'"),
        ("summary = 1", 'summary = "One"', 'expected summary = "…" in the header, got 1'),
        ('vaule = "Null', 'value = "Null', "one.sql:6: expected the columns .* got no 'value'; did you mean 'vaule'"),
        ("n = 1", 'n = "UInt64"', "one.sql:6: expected columns to give each name a ClickHouse type"),
        ("{stepp_s:UInt32}", "{step_s:UInt32}", "one.sql:16: unknown parameter 'stepp_s'.*did you mean 'step_s'"),
        ("{step_s:UInt64}", "{step_s:UInt32}", "one.sql:16: expected {step_s:UInt32} as in the header"),
        ("86400", "{step_s:UInt32}", "one.sql:4: the header's parameter 'step_s' is not used"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(wrong: str, right: str, says: str) -> None:
    """Whoever writes an evaluator sees the place and the nearest valid name, not a traceback."""
    with pytest.raises(EvaluatorError, match=says):
        parse(GOOD.replace(right, wrong, 1), path="one.sql")


def test_a_users_file_replaces_the_shipped_one(tmp_path: Path) -> None:
    """Users override by name, and add; everything else stays."""
    (tmp_path / "volume.sql").write_text(GOOD)
    (tmp_path / "mine.sql").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("not SQL")

    loaded = load_evaluators(tmp_path, tmp_path / "missing")

    assert loaded["volume"].summary == loaded["mine"].summary == "One"
    assert loaded["freshness"] == EVALUATORS["freshness"]
    assert set(loaded) == {*EVALUATORS, "mine"}


def test_every_shipped_evaluator_says_what_is_behind_its_value() -> None:
    """A figure without an interval and a count cannot be held against anything."""
    for evaluator in load_evaluators().values():
        assert {"value", "lower", "upper", "n"} <= set(evaluator.columns), evaluator.name

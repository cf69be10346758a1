"""Rules: what is shipped, what is refused, what overrides what."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tocsin_alerts.checks import check
from tocsin_alerts.errors import DocumentError, RuleError
from tocsin_alerts.evaluator import evaluate, load_evaluators
from tocsin_alerts.plan import Plan
from tocsin_alerts.plan_parts import Quality
from tocsin_alerts.rules import SHIPPED, load_rules, survey

MINE = """rule: mine
summary: mine
evaluator: accuracy
severity: ticket
when: value < 0.8
"""


def refused(kit: Any, text: str) -> list[str]:
    """List what is wrong with a rule."""
    with pytest.raises(DocumentError) as caught:
        kit.make_rule(text)
    return [str(finding) for finding in caught.value.findings]


def test_every_shipped_rule_fits_its_evaluator_and_passes_its_own_tests() -> None:
    """The defaults apply to every use case without configuration: they have to be right."""
    evaluators = load_evaluators()

    assert check(evaluators=evaluators) == []
    book = load_rules(evaluators=evaluators)
    assert {rule.text.evaluator for rule in book} >= {
        "accuracy_cusum",
        "accuracy",
        "estimated_accuracy",
        "confidence_shift",
        "input_psi",
        "null_rate",
        "volume",
        "freshness",
        "cost_per_day",
    }
    assert all(rule.text.tests for rule in book), "each rule shows what it does"
    assert all(path.read_text().startswith("#") for path in SHIPPED.glob("*.yaml")), "each gives its reason"


def test_no_shipped_rule_fires_on_a_sample_without_a_value(kit: Any) -> None:
    """NULL is "not enough evidence": nothing is red, or green, because of it."""
    plan = Plan(use_case="triage", quality=Quality(floor=0.99))
    for rule in load_rules(evaluators=load_evaluators()):
        for n in (0, 10, 10_000):
            seen = rule.observe(kit.sample(kit.DAY_0, None, lower=0.0, upper=0.0, baseline=1.0, n=n), plan)
            assert (seen.holds, seen.clears) == (None, None)
            assert seen.overlay == ("low_n" if n else "no_data")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("accuracy", "acuracy"), "rules/made.yaml:3: unknown evaluator 'acuracy': did you mean 'accuracy'?"),
        (("value < 0.8", "uper < 0.8"), "rules/made.yaml:5: when: unknown name 'uper' in 'uper < 0.8': did you mean"),
        (("value < 0.8", "value"), "rules/made.yaml:5: when: expected a comparison"),
        (("severity: ticket", "severty: ticket"), "rules/made.yaml:1: expected a key 'severity', got none"),
        (("severity: ticket", "severity: pager"), "rules/made.yaml:4: severity: expected 'page', 'ticket' or 'log'"),
        (("rule: mine", "rule: Mine!"), "rules/made.yaml:1: rule: expected"),
        (
            ("when:", "params: {days: 3}\nwhen:"),
            "rules/made.yaml:5: unknown parameter 'days' of 'accuracy': valid: none",
        ),
        (("when:", "for: -1\nwhen:"), "rules/made.yaml:5: for: expected at least 0 slots, got -1"),
        (("when:", "for: soon\nwhen:"), "rules/made.yaml:5: for: expected a duration"),
        (("when:", "every: 1s\nwhen:"), "rules/made.yaml:1: the file: expected 'every' of at least 1m"),
        (
            ("when:", "sql: SELECT 1\nwhen:"),
            "rules/made.yaml:1: the file: expected either 'evaluator' or 'sql', got both",
        ),
        (("when:", "clear: value >\nwhen:"), "rules/made.yaml:5: clear: expected a condition such as"),
    ],
)
def test_a_mistaken_rule_is_refused_with_file_line_and_nearest_name(
    kit: Any, change: tuple[str, str], says: str
) -> None:
    """A rule that could never fire is worse than none: up refuses it."""
    assert refused(kit, MINE.replace(*change))[0].startswith(says)


def test_a_rule_over_a_column_that_is_not_there_is_refused(kit: Any) -> None:
    """A z needs an interval: over an evaluator without one it would be unknown for ever."""
    columns = {"project": "", "use_case": "", "slot": "", "value": "", "n": ""}
    bare = kit.FakeEvaluator("bare", columns=columns)

    with pytest.raises(RuleError, match=r"made.yaml:5: when: 'z' needs the column 'baseline', which 'bare' does not"):
        kit.make_rule(MINE.replace("accuracy", "bare").replace("value < 0.8", "z < -3"), bare=bare)


def test_a_users_rule_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    """Teams tighten or switch off one rule without copying the others."""
    shipped = (SHIPPED / "volume.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(shipped.replace("for: 2", "for: 5").split("tests:")[0])
    (tmp_path / "off.yaml").write_text((SHIPPED / "freshness.yaml").read_text() + "enabled: false\n")

    book = load_rules(tmp_path, evaluators=load_evaluators())

    volume = book.get("volume")
    assert volume is not None
    assert volume.timing(Plan(use_case="x")).hold == timedelta(hours=5)
    assert volume.path == str(tmp_path / "mine.yaml")
    assert book.get("freshness") is None
    assert book.get("accuracy-drop") is not None


def test_all_findings_of_all_files_come_at_once(tmp_path: Path) -> None:
    """And the rules that can be read still are, for rules check."""
    (tmp_path / "a.yaml").write_text(MINE)
    (tmp_path / "b.yaml").write_text(MINE)
    (tmp_path / "c.yaml").write_text(MINE.replace("mine", "other").replace("accuracy", "acuracy"))
    (tmp_path / "d.yaml").write_text("rule: [")

    book, findings = survey(tmp_path, evaluators=load_evaluators(), shipped=False)

    assert list(book.rules) == ["mine"]
    assert [Path(finding.path).name for finding in findings] == ["b.yaml", "c.yaml", "d.yaml"]


def test_a_tolerated_time_comes_from_the_plan(kit: Any) -> None:
    """One rule, and each team's own patience."""
    rule = kit.make_rule(MINE + "for: tolerated\n")

    assert rule.timing(Plan(use_case="x")).hold == timedelta(0)
    assert rule.timing(Plan(use_case="x", quality=Quality(tolerate=timedelta(days=2)))).hold == timedelta(days=2)


def test_a_failing_rule_test_is_a_finding_that_says_what_happened(tmp_path: Path) -> None:
    """Rule tests are data: expected transitions against what the real machine did."""
    tests = "tests:\n- name: t\n  samples: [{slot: 0, value: 0.5}]\n  expect: [{slot: 1, state: firing}]\n"
    (tmp_path / "a.yaml").write_text(MINE + tests)

    (finding,) = check(tmp_path, evaluators=load_evaluators(), shipped=False)

    assert finding.message == "test 't' of mine: + slot 0 firing: value 0.5 < 0.8; - slot 1 firing"


def test_a_template_that_cannot_be_rendered_is_a_finding(tmp_path: Path) -> None:
    """The template's author hears of it from rules check, not on the night of the page."""
    (tmp_path / "a.yaml").write_text(MINE + "template: mine.j2\n")

    findings = check(tmp_path, evaluators=load_evaluators(), shipped=False, check_template=lambda name: f"no {name}")

    assert [finding.message for finding in findings] == ["template: no mine.j2"]


INLINE = """rule: slow
summary: calls are slow
severity: ticket
when: value > 2
sql: |
  -- p95 by model
  SELECT project, use_case, model_version, toDateTime64(toStartOfInterval(started_at, toIntervalSecond({step_s:UInt32})), 3, 'UTC')
      + toIntervalSecond({step_s:UInt32}) AS slot, quantile(0.95)(duration_ns / 1e9) AS value, count() AS n
  FROM ai_calls
  WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
  GROUP BY project, use_case, model_version, slot;
"""


def test_inline_sql_is_described_and_runs_as_an_evaluator(kit: Any, database: Any) -> None:
    """A team's own question needs no file of its own."""
    from tocsin_alerts import documents
    from tocsin_alerts.rules import compile_rule

    rule = compile_rule(documents.parse(INLINE, path="x.yaml"), evaluators={}, query=database)

    assert rule.source.columns["value"] == "Float64"
    assert "model_version" in rule.source.columns
    since, until = kit.DAY_0, kit.DAY_0 + kit.DAY
    assert evaluate(database, rule.source, since=since, until=until, step_s=86_400) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("ai_calls", "ai_cals"), "x.yaml:5: sql: the engine refuses it: "),
        (
            ("count() AS n", "count() AS m"),
            "x.yaml:5: sql: expected the columns project, use_case, slot, value, n, got no 'n'",
        ),
        (("{until:DateTime64(3, 'UTC')}", "now()"), "x.yaml:5: sql: expected {since:DateTime64(3)}"),
        (
            ("value > 2", "upper > 2"),
            "x.yaml:4: when: 'upper' needs the column 'upper', which 'rule:slow' does not give",
        ),
    ],
)
def test_inline_sql_that_cannot_answer_is_refused(database: Any, change: tuple[str, str], says: str) -> None:
    """With the engine at hand a wrong table or a missing column is found when the rule is loaded."""
    from tocsin_alerts import documents
    from tocsin_alerts.rules import compile_rule

    with pytest.raises(RuleError) as caught:
        compile_rule(documents.parse(INLINE.replace(*change), path="x.yaml"), evaluators={}, query=database)

    assert str(caught.value).startswith(says)

"""The budget of false pages: the rotation's, over every use case, and never green without measurement."""

import math
from typing import Any

import pytest

from tocsin_alerts.budget import spend, strictness
from tocsin_alerts.errors import DocumentError
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Quality

RULE = "rule: {name}\nsummary: s\nevaluator: accuracy\nwhen: value < 0.8\nseverity: {severity}\n"


def rule(name: str, rate: float | None = None, *, severity: str = "page", more: str = "") -> str:
    """Write a rule with a measured rate."""
    text = RULE.format(name=name, severity=severity) + more
    return text if rate is None else f"{text}false_pages_per_year: {rate}\n"


def streams(count: int) -> list[tuple[str, str]]:
    """Name some use cases."""
    return [("default", f"uc-{index}") for index in range(count)]


def test_what_rules_spend_adds_up_over_rules_and_use_cases(kit: Any) -> None:
    """People are woken by the sum: ten streams that each keep to their share are one rotation's bad year."""
    book = kit.make_book(rule("a", 0.1), rule("b", 0.15), rule("t", 9.0, severity="ticket"))

    found = spend(book, Plans(), streams(10))

    assert [(each.rule, each.streams) for each in found.rules] == [("b", 10), ("a", 10)]
    assert [each.per_year for each in found.rules] == pytest.approx([1.5, 1.0])
    assert found.per_year == pytest.approx(2.5)
    assert found.holds == "within"
    assert {each.holds for each in found.streams} == {"within"}
    assert found.most_streams == 16


def test_a_rule_pays_only_where_the_plan_asks_for_it(kit: Any) -> None:
    """A floor turns one accuracy rule on and another off: a stream never pays for both."""
    book = kit.make_book(rule("with", 0.1, more="needs: [floor]\n"), rule("without", 0.2, more="without: [floor]\n"))
    plans = Plans.of(Plan(use_case="uc-0", quality=Quality(floor=0.9)))

    found = spend(book, plans, streams(3))

    assert {each.use_case: each.per_year for each in found.streams} == {"uc-0": 0.1, "uc-1": 0.2, "uc-2": 0.2}
    assert found.per_year == pytest.approx(0.5)


def test_a_rule_that_nobody_measured_is_unknown_and_not_free(kit: Any) -> None:
    """None is unknown: a sum with it may be said to be over, never to be within."""
    book = kit.make_book(rule("measured", 0.1), rule("unmeasured"))

    few, many = spend(book, Plans(), streams(1)), spend(book, Plans(), streams(50))

    assert (few.holds, few.unmeasured, few.streams[0].holds) == ("unknown", ("unmeasured",), "unknown")
    assert [each.per_year for each in few.rules] == [0.1, None]
    assert many.holds == "over"


def test_a_measured_zero_is_within(kit: Any) -> None:
    """Zero is a measurement."""
    found = spend(kit.make_book(rule("quiet", 0)), Plans(), streams(1_000))

    assert (found.holds, found.per_year, found.most_streams) == ("within", 0.0, None)


def test_over_budget_the_dearest_rules_are_named_until_the_rest_fits(kit: Any) -> None:
    """What to make a ticket has to be said: "over" alone helps nobody."""
    book = kit.make_book(rule("a", 0.05), rule("b", 0.3), rule("c", 0.1))

    found = spend(book, Plans(), streams(2), count=30)

    assert (found.holds, found.count, found.per_year) == ("over", 30, pytest.approx(13.5))
    assert found.make_tickets() == ("b", "c")
    assert {each.holds for each in found.streams} == {"over"}, "0.45 a year is more than one stream may spend"


def test_without_use_cases_one_without_a_plan_is_shown(kit: Any) -> None:
    """Before the first call the figure that a team will pay is known already."""
    found = spend(kit.make_book(rule("a", 0.1)), Plans(), [], count=1)

    assert (found.per_year, found.count, found.streams) == (0.1, 1, ())


@pytest.mark.parametrize("said", ["-0.1", ".inf", "often"])
def test_a_rate_that_is_none_is_refused(kit: Any, said: str) -> None:
    """A negative or endless rate would make any sum look fine, or none."""
    with pytest.raises(DocumentError, match="false_pages_per_year"):
        kit.make_rule(f"{rule('a')}false_pages_per_year: {said}\n")


def test_a_measured_rate_does_not_make_it_another_rule(kit: Any) -> None:
    """Measuring again must not look like a change of what pages."""
    assert kit.make_rule(rule("a", 0.1)).hash == kit.make_rule(rule("a", 0.2)).hash


TIGHTENING = "rule: {name}\nsummary: s\nevaluator: accuracy\nwhen: value >= 4 + strict\nseverity: page\nfalse_pages_per_year: {rate}\n"


def test_many_use_cases_ask_for_more_evidence_and_keep_to_the_budget_together(kit: Any) -> None:
    """A hundred streams at 0.28 a year would wake a rotation 28 times: seven times the budget is ln 7 nats more from each."""
    book = kit.make_book(TIGHTENING.format(name="t", rate=0.28))

    few, many = spend(book, Plans(), streams(14)), spend(book, Plans(), streams(100))

    assert (few.strict, few.per_year) == (0, pytest.approx(3.92))
    assert (many.strict, many.per_year) == (pytest.approx(math.log(7)), pytest.approx(4))
    assert (many.loose_per_year, many.most_streams, many.make_tickets()) == (pytest.approx(28), 14, ())
    assert (many.holds, {each.holds for each in many.streams}) == ("within", {"within"})


def test_a_noisy_rule_that_does_not_tighten_makes_no_other_deaf(kit: Any) -> None:
    """A team's own rule may page every day: the ones that tell of decay must not pay for it."""
    noisy = rule("noisy", 300)
    book = kit.make_book(TIGHTENING.format(name="t", rate=0.2), noisy)

    found = spend(book, Plans(), streams(10))

    assert (found.strict, found.holds, found.make_tickets()) == (0, "over", ("noisy",))


def test_a_tightened_rule_asks_its_evaluator_and_its_condition_for_the_same() -> None:
    """Where the sum of evidence stopped below the raised threshold, the rule could never fire again."""
    from tocsin_alerts.evaluator import load_evaluators
    from tocsin_alerts.rules import load_rules

    book = load_rules(evaluators=load_evaluators())
    tightened = book.tightened(strictness(book, Plans(), streams(100)))

    for each in tightened:
        assert each.strict > 2
        if "most_evidence" in each.source.params:
            assert each.tightens
            assert each.params["strict"] == each.strict
        else:
            assert "strict" not in each.params
    rest = [each.text.false_pages_per_year or 0 for each in book if not each.tightens]
    assert sum(rest) == 0, "what pages by chance must tighten, or many use cases are over"

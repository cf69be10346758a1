"""The five questions at a terminal."""

import io

from rich.console import Console

from tocsin_alerts.plan_form import FORM
from tocsin_console.interview import ask, value_of, write_plan

BLANKS = [blank.key for _, blanks in FORM for blank in blanks]


def answer(**given: list[str]) -> tuple[dict[str, object], str]:
    """Answer some questions, one line a try, and leave the others open."""
    lines = [line for key in BLANKS for line in given.get(key.replace(".", "_"), [""])]
    shown = io.StringIO()
    said = ask("digits", console=Console(file=shown, width=200), answers=io.StringIO("\n".join(lines) + "\n"))
    return said, shown.getvalue()


def test_an_answer_that_does_not_fit_is_asked_again() -> None:
    """With the reason, while the person still remembers what they meant."""
    said, shown = answer(quality_floor=["90", "0.9"], guard_mode=["sometimes", "automatic"])

    assert said == {"quality.floor": 0.9, "guard.mode": "automatic"}
    assert "write 90 % as 0.9" in shown
    assert "shadow" in shown


def test_an_empty_answer_leaves_the_question_open() -> None:
    """Five questions are a lot; the first plan may answer one."""
    said, _ = answer(owner=["vision-team"])

    _, plan = write_plan("digits", said)
    assert plan.owner == "vision-team"
    assert len(plan.unanswered()) == 5


def test_a_sentence_stays_a_sentence() -> None:
    """People write colons."""
    assert value_of("page them: now") == "page them: now"
    assert value_of("[device, site]") == ["device", "site"]
    assert value_of("https://wiki/x#y") == "https://wiki/x#y"
    assert value_of(" 0.9 ") == 0.9

"""The first line is the right one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tocsin_alerts.briefing import Case, Findings, GuardNews, brief
from tocsin_alerts.incidents import Incidents
from tocsin_alerts.message import Measure, Night
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.records import GuardRow

BELOW = "accuracy-below-floor"
FINDINGS = Findings(quality=Measure(value=0.88, lower=0.86, upper=0.896, baseline=0.94, n=2034), calls_per_day=2000)


@pytest.fixture
def case(event: Any, plans: Plans, rules: Any) -> Any:
    """Makes the case of one firing alert."""

    def make(*events: Any, **changes: Any) -> Case:
        events = events or (event(),)
        (incident,) = Incidents().take(events)
        made = Case(
            incident=incident,
            transition="firing",
            slot=events[-1].slot,
            members=list(incident.members.values()),
            news=frozenset(incident.members),
            plan=plans.get("default", "digit-reader"),
            rules=rules,
            findings=FINDINGS,
        )
        return replace(made, **changes)

    return make


def _row(event: Any, **changes: Any) -> GuardRow:
    fields: dict[str, Any] = {
        "project": "default",
        "use_case": "digit-reader",
        "version": 1,
        "state": "fallback",
        "mode": "automatic",
        "applied": True,
        "cause": "c",
        "actor": "rule:r",
        "incident": "incident-1",
        "probe_share": 0.05,
        "hold_until": None,
        "expires_at": None,
        "since": event().slot,
    }
    return GuardRow(**{**fields, **changes})


def test_unguarded_trouble_asks_to_act_and_says_how_much(case: Any) -> None:
    """Wrong answers are what the business feels."""
    view = brief(case())

    assert view.do_now == "Act: about 10 wrong answers an hour (5 before). To fall back:"
    assert view.command == "tocsin guard set digit-reader fallback"


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        (100, "about 12 wrong answers a day (6 before)"),
        (399, "about 48 wrong answers a day (24 before)"),
        (8_000, "about 40 wrong answers an hour (20 before)"),
    ],
)
def test_a_few_are_counted_by_the_day_and_many_by_the_hour(case: Any, calls: float, said: str) -> None:
    """Half a wrong answer an hour is a number that nobody feels."""
    view = brief(case(findings=replace(FINDINGS, calls_per_day=calls)))

    assert said in view.do_now


def test_the_threshold_is_in_the_unit_of_the_value(case: Any, event: Any) -> None:
    """Whoever reads 88 % wants to know of how many; a test statistic has no such place."""
    floor = brief(case(plan=Plan.model_validate({"use_case": "digit-reader", "quality": {"floor": 0.9}})))
    drop = brief(case(event("accuracy-drop")))
    unsaid = brief(case())

    assert floor.lead.threshold == 0.9
    assert drop.lead.threshold == pytest.approx(0.92)
    assert unsaid.lead.threshold is None


def test_alerts_beyond_the_list_are_counted(case: Any, event: Any) -> None:
    """Fifty devices are one message, and it says that there are fifty."""
    view = brief(case(*(event(fingerprint=f"print-{number}") for number in range(50))))

    assert (len(view.alerts), view.more_alerts) == (12, 38)


@pytest.mark.parametrize("name", ["https://evil.example", "evil.com", "a@evil.com"])
def test_a_name_that_only_calls_say_never_becomes_a_link_in_a_command(case: Any, event: Any, name: str) -> None:
    """A use case is what a span says; programs make links of what looks like one."""
    nobodys, declared = Plans().get("default", name), Plan(use_case=name, owner="us")

    said = brief(case(event(use_case=name), plan=nobodys))
    ours = brief(case(event(use_case=name), plan=declared))

    assert said.command == "tocsin guard set USE-CASE fallback"
    assert not any(name in line for line in said.commands)
    assert name in ours.command


def test_once_the_fallback_serves_it_can_wait(case: Any, event: Any) -> None:
    """Nobody need get up for what is taken care of."""
    view = brief(case(guard=GuardNews(row=_row(event), in_force="fallback")))

    assert view.do_now == "Nothing until morning: the fallback is serving."
    assert view.command == ""


@pytest.mark.parametrize(
    ("rule", "wrong", "wakes", "said"),
    [
        (
            BELOW,
            380.4,
            True,
            "Act: about 10 wrong answers an hour, 380 more than usual before Mon 09:00. To fall back:",
        ),
        (BELOW, 0.4, True, "Act: about 10 wrong answers an hour, less than 1 more than usual before Mon 09:00."),
        (BELOW, None, True, "(5 before); what waiting until Mon 09:00 costs is not known. To fall back:"),
        ("latency", None, True, "; what waiting until Mon 09:00 costs is not known. First: look at the calls"),
        ("latency", 90.0, True, ", 90 wrong answers more than usual before Mon 09:00. First: look at the calls"),
        (
            BELOW,
            12.2,
            False,
            "Nothing until 09:00 (Mon 20 Apr, Europe/Berlin): about 12 wrong answers before then, below your limit of 50.",
        ),
    ],
)
def test_at_night_it_says_what_waiting_costs(
    case: Any, event: Any, *, rule: str, wrong: float | None, wakes: bool, said: str
) -> None:
    """Whoever is woken decides in the dark whether to get up; what is not known is not called little."""
    hours = [{"days": ["mon"], "from": "09:00", "until": "17:00"}]
    steps = {"first_steps": ["look at the calls"]}
    plan = Plan.model_validate({"use_case": "digit-reader", "zone": "Europe/Berlin", "hours": hours, "runbook": steps})
    night = Night(until=datetime(2026, 4, 20, 7, tzinfo=UTC), wrong=wrong, worth_waking=50, wakes=wakes)

    assert said in brief(case(event(rule), plan=plan, night=night)).do_now


@pytest.mark.parametrize(
    ("slot", "said"),
    [
        (
            datetime(2026, 4, 17, 0, 5, tzinfo=UTC),
            "Nothing until 09:00 (Fri 17 Apr, Europe/Berlin): the fallback is serving.",
        ),
        (
            datetime(2026, 4, 17, 17, 5, tzinfo=UTC),
            "Nothing until 09:00 (Mon 20 Apr, Europe/Berlin): the fallback is serving.",
        ),
        (datetime(2026, 4, 17, 10, 5, tzinfo=UTC), "Nothing urgent: the fallback is serving."),
    ],
)
def test_it_can_wait_until_people_work(case: Any, event: Any, slot: datetime, said: str) -> None:
    """Over a weekend, too; in the plan's zone, which is where they sleep."""
    hours = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "17:00"}]
    plan = Plan.model_validate({"use_case": "digit-reader", "zone": "Europe/Berlin", "hours": hours})

    view = brief(case(plan=plan, slot=slot, guard=GuardNews(row=_row(event), in_force="fallback")))

    assert view.do_now == said


def test_verify_is_for_today(case: Any, event: Any) -> None:
    """People check the answers, which somebody pays for."""
    view = brief(case(guard=GuardNews(row=_row(event, state="verify"), in_force="verify")))

    assert view.do_now.startswith("Look today, answers are being verified: about 10 wrong answers an hour")


def test_a_shadow_guard_does_not_calm(case: Any, event: Any) -> None:
    """It would have tripped is not it has tripped."""
    view = brief(case(guard=GuardNews(row=_row(event, applied=False, mode="shadow"), in_force="normal")))

    assert view.do_now.startswith("Act: ")
    assert view.action is not None
    assert not view.action.applied


def test_broken_data_names_the_trouble_and_the_first_step(case: Any, event: Any) -> None:
    """Falling back is no answer to a missing field that nobody has looked at."""
    view = brief(case(event("null-rate", labels={"field": "ink"})))

    assert view.do_now == "Act: an input field is missing far more often than it was: ink. First: look at the calls"
    assert view.lead.reason.startswith("field ink: ")


def test_what_was_not_measured_is_not_said_to_be_so(case: Any, event: Any) -> None:
    """Without data nothing is known: neither that it is wrong nor that it is right."""
    view = brief(case(event(value=None, lower=None, upper=None, baseline=None, n=0, reason="no data")))

    assert view.do_now == "Act: accuracy-below-floor cannot be judged, so nobody knows. To see why:"
    assert view.command == "tocsin status"
    assert view.lead.summary.startswith("Cannot be judged: ")
    assert view.lead.threshold is None


def test_a_ticket_waits_for_working_hours(case: Any, event: Any) -> None:
    """Drift alone never wakes anybody."""
    view = brief(case(event("input-drift", severity="ticket")))

    assert view.do_now.startswith("Look at it in working hours: ")
    assert view.lead.unit == "PSI"


def test_the_end_says_whether_the_guard_is_still_on(case: Any, event: Any) -> None:
    """Release is by hand, so somebody must be told that it is due."""
    over = brief(case(transition="resolved"))
    held = brief(case(transition="resolved", guard=GuardNews(row=_row(event), in_force="fallback")))

    assert over.do_now == "Nothing to do: every alert of this incident is over."
    assert held.do_now == "It is over, and the guard is still at fallback. To release it:"
    assert held.command == "tocsin guard release digit-reader"


def test_unknown_numbers_are_left_out(case: Any) -> None:
    """No labels, no count."""
    view = brief(case(findings=Findings()))

    assert view.do_now == "Act: accuracy on labelled calls is below the plan's floor. To fall back:"
    assert view.wrong_per_day is None


def test_use_cases_are_quoted_for_the_shell(case: Any, event: Any) -> None:
    """A use case comes from a span; its name is pasted into a terminal."""
    view = brief(case(event(use_case="x; rm -rf ~", project="p q")))

    assert view.command == "tocsin guard set 'x; rm -rf ~' --project 'p q' fallback"


def test_what_the_plan_leaves_open_is_empty_not_guessed(case: Any) -> None:
    """The template says unanswered."""
    view = brief(case(plan=Plans().get("default", "other")))

    assert (view.owner, view.contact, view.runbook.link) == ("", "", "")


def test_without_steps_of_the_team_a_shipped_rule_says_its_own(case: Any, event: Any) -> None:
    """Nobody wrote a runbook for the first page at night; where to look is known all the same."""
    view = brief(case(event(use_case="x; rm -rf ~", project="p q"), plan=Plans().get("p q", "x; rm -rf ~")))
    own = brief(case())

    assert view.runbook.steps[0].endswith("tocsin explain 'x; rm -rf ~' --project 'p q'.")
    assert view.runbook.guide == "tocsin rules runbook accuracy-below-floor"
    assert "tocsin explain" not in "".join(own.runbook.steps)


def test_of_a_rule_of_ones_own_there_is_no_shipped_runbook(case: Any, event: Any) -> None:
    """A link to a page that is not there is worse than none."""
    view = brief(case(event(rule="ours"), plan=Plans().get("default", "digit-reader")))

    assert (view.runbook.link, view.runbook.steps, view.runbook.guide) == ("", (), "")

"""The trigger of a plan, from its samples to its action, over a real store."""

import os
import signal
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.alerts.retraining.receiving import Receiver, receiver

from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.retraining.actions import (
    Action,
    ActionFailed,
    ActionUnclear,
    Command,
    GitHubDispatch,
    Order,
    Webhook,
)
from tocsin_alerts.retraining.book import RetrainingBook
from tocsin_alerts.retraining.trigger import Point, held, trigger_of
from tocsin_collector.store.database import Database

__all__ = ["receiver"]

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
ORDER = Order(
    run="r1",
    project="default",
    use_case="digits",
    condition="accuracy below 0.88 for 3d",
    metric="accuracy",
    value=0.8,
    n=500,
    slot=MONDAY.isoformat(),
    owner="ml",
)


def plan(**changes: Any) -> Plan:
    """A plan that retrains below 88 % for three days."""
    trigger = {"metric": "accuracy", "threshold": 0.88, "duration": "3d", **changes.pop("trigger", {})}
    said = {"trigger": trigger, "action": "retrain", "owner": "ml", "cooldown": "7d", **changes}
    return Plan.model_validate({"use_case": f"u{uuid.uuid4().hex[:8]}", "retraining": said})


@dataclass
class FakeAction:
    """Does what it is told, or fails as it is told."""

    words: str = "fake"
    errors: list[Exception] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    def start(self, order: Order) -> str:
        """Note the order."""
        self.orders.append(order)
        if self.errors:
            raise self.errors.pop(0)
        return "started"


@dataclass
class Clock:
    """A time of day that the test moves."""

    at: datetime = MONDAY

    def __call__(self) -> datetime:
        """Tell it."""
        return self.at


def sampled(database: Database, of: Plan, values: list[float | None], *, until: datetime = MONDAY) -> None:
    """Store daily samples of accuracy, the last one at ``until``."""
    common = {"project": "default", "use_case": of.use_case, "evaluator": "accuracy", "evaluated_at": MONDAY}
    rows = [
        {
            **common,
            "labels": {"model_version": "m1"},
            "slot": until - DAY * back,
            "value": value,
            "lower": None if value is None else value - 0.02,
            "upper": None if value is None else value + 0.02,
            "n": 500,
        }
        for back, value in enumerate(reversed(values))
    ]
    database.insert("evaluations", rows)


def book(
    database: Database, of: Plan, action: Action | None, clock: Callable[[], datetime], *, slot: datetime = MONDAY
) -> RetrainingBook:
    """A book over one plan."""
    actions = {} if action is None else {"retrain": action}
    return RetrainingBook(
        database, Plans.of(of), actions, evaluators=["accuracy", "input_psi"], through=lambda: slot, now=clock
    )


def test_a_trigger_that_held_for_its_duration_fires_once(database: Database) -> None:
    """Two trainings at once cost twice and race for the release."""
    of, action = plan(), FakeAction()
    sampled(database, of, [0.95, 0.85, 0.84, 0.83])
    made = book(database, of, action, Clock())

    turns = [made.turn() for _ in range(3)]
    restarted = book(database, of, action, Clock()).turn()

    [run] = made.status()[0]["runs"]
    assert (turns, restarted, len(action.orders)) == ([1, 0, 0], 0, 1)
    assert (run["state"], run["said"], run["attempts"]) == ("done", "started", 1)
    assert action.orders[0].condition == "accuracy below 0.88 for 3d"
    audit = database.rows("SELECT action FROM audit_log WHERE subject = {s:String} ORDER BY action", {"s": f"default/{of.use_case}"})  # fmt: skip
    assert [row["action"] for row in audit] == ["retraining done", "retraining due"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([0.95, 0.95, 0.85, 0.84], "two days are not three"),
        ([0.85, None, 0.85, 0.84], "what is unknown breaks the row"),
        ([0.85, 0.85, 0.87], "the last interval reaches over the threshold"),
        ([0.95, 0.95, 0.95], "it is well"),
        ([0.80, 0.80, 0.80, None], "nothing is known of the last day"),
    ],
)
def test_what_has_not_held_beyond_doubt_triggers_nothing(
    database: Database, values: list[float | None], why: str
) -> None:
    """A training set off by noise is an outage of its own."""
    of, action = plan(), FakeAction()
    sampled(database, of, values)

    assert book(database, of, action, Clock()).turn() == 0, why
    assert action.orders == []


def test_it_rests_for_its_cooldown_and_fires_again_after(database: Database) -> None:
    """The new model's labels take days to come; until then the old figure must not train again."""
    of, action = plan(), FakeAction()
    sampled(database, of, [0.8] * 12, until=MONDAY + 8 * DAY)
    fired = []

    for day in range(9):
        slot = MONDAY + day * DAY
        if book(database, of, action, Clock(slot), slot=slot).turn():
            fired.append(day)

    assert fired == [0, 7]


def test_a_failure_is_tried_again_and_then_said(database: Database) -> None:
    """A receiver that restarts is no reason to forget the training; one that is gone is somebody's to see."""
    of, clock = plan(), Clock()
    action = FakeAction(errors=[ActionFailed("HTTP 503")] * 9)
    sampled(database, of, [0.8] * 4)
    made = book(database, of, action, clock)

    at_once = [made.turn(), made.turn()]
    for _ in range(8):
        clock.at += timedelta(hours=1)
        made.turn()

    [run] = made.status()[0]["runs"]
    assert at_once == [1, 0]
    assert len(action.orders) == 5
    assert run["state"] == "failed"
    assert run["said"] == "5 attempts, the last: HTTP 503"


def test_what_may_have_happened_is_never_done_again_by_itself(database: Database) -> None:
    """A dispatch whose answer was lost has started a training, or not: a person looks."""
    of, clock = plan(), Clock()
    action = FakeAction(errors=[ActionUnclear("no answer came")])
    sampled(database, of, [0.8] * 4)
    made = book(database, of, action, clock)

    made.turn()
    clock.at += DAY
    made.turn()

    assert len(action.orders) == 1
    assert made.status()[0]["runs"][0]["state"] == "unclear"


def test_an_attempt_that_a_crash_cut_off_is_unclear(database: Database) -> None:
    """It was written down before it began, so nobody takes it for one that never was."""

    class Dies(FakeAction):
        def start(self, order: Order) -> str:
            self.orders.append(order)
            raise SystemExit

    of, again = plan(), FakeAction()
    sampled(database, of, [0.8] * 4)
    with pytest.raises(SystemExit):
        book(database, of, Dies(), Clock()).turn()

    made = book(database, of, again, Clock())
    made.turn()

    assert again.orders == []
    assert made.status()[0]["runs"][0]["state"] == "unclear"


def test_what_no_action_does_is_for_a_person(database: Database) -> None:
    """A plan alone runs nothing: its words name an action of tocsin.yaml, or tell somebody what to do."""
    of = plan(action="rm -rf /; run the training job")
    sampled(database, of, [0.8] * 4)
    made = book(database, of, FakeAction(), Clock())

    assert made.turn() == 0
    [standing] = made.status()
    assert standing["runs"][0]["state"] == "manual"
    assert standing["action"].startswith("by hand: rm -rf")
    assert not standing["is_automatic"]


def test_one_page_says_what_the_trigger_is_and_how_near(database: Database) -> None:
    """The answer to "what is your retraining trigger?"; a metric that is none is named with near matches."""
    of, open_one, wrong = plan(), Plan(use_case="open"), plan(trigger={"metric": "acuracy"})
    sampled(database, of, [0.95, 0.87, 0.86])
    made = RetrainingBook(
        database,
        Plans.of(of, open_one, wrong),
        {"retrain": FakeAction()},
        evaluators=["accuracy", "input_psi"],
        through=lambda: MONDAY,
        now=Clock(),
    )

    found = {each["use_case"]: each for each in made.status()}

    said = found[of.use_case]
    assert (said["trigger"], said["slots_held"], said["slots_needed"]) == ("accuracy below 0.88 for 3d", 2, 3)
    assert (said["value"], said["owner"], said["cooldown_s"]) == (0.86, "ml", 7 * 86_400)
    assert found["open"]["trigger"] is None
    assert "retraining.trigger.metric" in found["open"]["unanswered"]
    assert "did you mean accuracy?" in found[wrong.use_case]["problem"]


def test_what_came_of_it_is_recorded(database: Database) -> None:
    """The history says which training helped."""
    of = plan()
    sampled(database, of, [0.8] * 4)
    made = book(database, of, FakeAction(), Clock())
    made.turn()
    run = made.status()[0]["runs"][0]["run"]

    closed = made.close(run[:10], "released 2026-03-09", by="ana")

    assert closed["result"] == "released 2026-03-09 (ana)"
    with pytest.raises(LookupError, match="expected one run"):
        made.close("nothing", "x", by="ana")


def test_more_of_some_metrics_is_worse() -> None:
    """Drift is above, accuracy below, and a plan may say it."""
    drift, accuracy = trigger_of(plan(trigger={"metric": "input_psi"})), trigger_of(plan())
    said = trigger_of(plan(trigger={"metric": "input_psi", "threshold": 0.2, "duration": None, "when": "above"}))
    assert drift is not None
    assert accuracy is not None
    assert said is not None
    assert (drift.when, accuracy.when) == ("above", "below")
    found = held(said, {}, [Point(slot=MONDAY, value=0.3, lower=None, upper=None, n=9)], slot=MONDAY)
    assert found is not None
    assert found.is_due


def test_github_gets_a_repository_dispatch(receiver: Receiver) -> None:
    """In the form that its REST API documents."""
    action = GitHubDispatch("acme/digits", "retrain", token=lambda: "t0", api=receiver.url)

    action.start(ORDER)
    receiver.status = 401

    path, headers, body = receiver.posts[0]
    assert path == "/repos/acme/digits/dispatches"
    assert headers["authorization"] == "Bearer t0"
    assert (body["event_type"], body["client_payload"]["run"]) == ("retrain", "r1")
    assert len(body["client_payload"]) <= 10  # GitHub's limit
    with pytest.raises(ActionFailed, match="HTTP 401"):
        action.start(ORDER)


def test_a_webhook_is_signed_and_names_its_run(receiver: Receiver) -> None:
    """The receiver knows who sent it, and a repeat when it sees one."""
    receiver.status = 200
    Webhook(receiver.url, secret=lambda: "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", now=lambda: MONDAY).start(ORDER)

    _, headers, body = receiver.posts[0]
    assert headers["webhook-id"] == "r1"
    assert headers["webhook-signature"].startswith("v1,")
    assert body["type"] == "retraining.due"


def test_nobody_there_is_a_failure() -> None:
    """Nothing was sent, so it can be tried again."""
    with pytest.raises(ActionFailed, match="cannot be reached"):
        Webhook("http://127.0.0.1:9", secret=lambda: "", now=lambda: MONDAY).start(ORDER)


def test_a_command_gets_the_order_and_none_of_our_secrets(tmp_path: Path) -> None:
    """No shell reads what it is told, and our environment stays ours."""
    script = "import json, os, sys; print(json.load(sys.stdin)['use_case'], sorted(os.environ), sys.argv[1:])"
    environment = {**os.environ, "JUDGE_API_KEY": "sk-1"}

    said = Command([sys.executable, "-c", script, "$(id); {x}"], folder=tmp_path, environment=environment).start(ORDER)

    assert said.startswith("digits")
    assert "JUDGE_API_KEY" not in said
    assert "TOCSIN_RETRAINING_RUN" in said
    assert "$(id); {x}" in said


def test_a_command_that_fails_hangs_or_is_missing_is_said(tmp_path: Path) -> None:
    """Failed is tried again; killed may have done its work."""

    def command(*argv: str, timeout_s: float = 30.0) -> Command:
        return Command(argv, folder=tmp_path, environment=os.environ, timeout_s=timeout_s)

    with pytest.raises(ActionFailed, match=r"exit code 3: no GPU"):
        command(sys.executable, "-c", "print('no GPU'); raise SystemExit(3)").start(ORDER)
    with pytest.raises(ActionFailed, match="cannot be started"):
        command("./nothing").start(ORDER)
    with pytest.raises(ActionUnclear, match="was killed"):
        command(sys.executable, "-c", "import time; time.sleep(600)", timeout_s=0.5).start(ORDER)


def test_what_a_command_left_running_is_not_waited_for(tmp_path: Path) -> None:
    """A training that put itself into the background holds the command's output open for hours after the command was killed."""
    script = "setsid sleep 600 & echo $! > kept; wait"
    slow = Command(("sh", "-c", script), folder=tmp_path, environment=os.environ, timeout_s=2.0)

    try:
        with pytest.raises(ActionUnclear, match="was killed"):
            slow.start(ORDER)
    finally:
        kept = tmp_path / "kept"
        if kept.exists() and (number := kept.read_text().strip()):
            os.kill(int(number), signal.SIGKILL)


def test_a_person_sets_one_off_and_the_cooldown_counts_from_there(database: Database) -> None:
    """A way to retrain that was never taken is a hope; and two at once race for the release."""
    of, action = plan(), FakeAction()
    sampled(database, of, [0.85, 0.84, 0.83])
    made = book(database, of, action, Clock())

    started = made.start("default", of.use_case, because="to see that it works", by="ana")
    with pytest.raises(LookupError, match="is due"):
        made.start("default", of.use_case, because="again", by="bo")
    turns = [made.turn() for _ in range(2)]

    [run] = made.status()[0]["runs"]
    assert (turns, len(action.orders)) == ([1, 0], 1)
    assert (run["run"], run["state"], run["condition"]) == (started["run"], "done", "ana said so: to see that it works")


def test_without_a_trigger_nothing_can_be_set_off(database: Database) -> None:
    """What it does is in the plan, and a command is no place to make it up."""
    of = plan(action=None)

    with pytest.raises(LookupError, match="expected a plan"):
        book(database, of, FakeAction(), Clock()).start("default", of.use_case, because="x", by="ana")

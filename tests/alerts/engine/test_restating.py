"""Labels that come late: samples are told anew, alerts are not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tocsin_alerts.engine import Engine
from tocsin_alerts.evaluator import evaluate, load_evaluators
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Labels, Quality
from tocsin_alerts.rules import RuleBook, load_rules

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


class Story:
    """One use case whose labels are complete after a day, judged by its floor on the data's clock."""

    def __init__(self, kit: Any, database: Any, *, broken: bool = False) -> None:
        self.database = database
        self.sink = kit.FakeSink()
        self.is_broken = broken
        self.number = 0
        self.engine = self.start()

    def start(self) -> Engine:
        """Start the process, as after a restart."""
        plans = Plans.of(Plan(use_case="reader", quality=Quality(floor=0.85), labels=Labels(delay=DAY)))
        self.database.insert("plans", plans.to_rows(now=START))
        book = load_rules(evaluators=load_evaluators())
        floor = book.get("accuracy-below-floor")
        assert floor is not None
        return Engine(
            self.database,
            RuleBook({floor.name: floor}),
            {"accuracy": load_evaluators()["accuracy"]},
            plans,
            epoch=1,
            clock_mode="data",
            handlers=[self.sink],
            maintain=lambda _day: None,
            evaluate=self._evaluate,
        )

    def _evaluate(self, query: Any, evaluator: Any, **asked: Any) -> Any:
        if self.is_broken and asked["until"] < self.latest:
            raise ConnectionError("the store went away")
        return evaluate(query, evaluator, **asked)

    def label(self, day: int, *, right: int, wrong: int, known: int | None = None) -> None:
        """Let labels of one day's calls arrive at the end of some day, of their own unless it says otherwise."""
        at = START + day * DAY + timedelta(hours=9)
        arrived = START + ((day if known is None else known) + 1) * DAY - timedelta(hours=1)
        rows = []
        for i in range(right + wrong):
            self.number += 1
            facts = {
                "started_at": at,
                "observed_at": arrived,
                "ingested_at": arrived,
                "weight": 1.0,
                "correct": int(i < right),
            }
            ids = {
                "project": "default",
                "use_case": "reader",
                "call_id": f"c{self.number}",
                "outcome_id": f"o{self.number}",
            }
            kind = {"kind": "ground_truth", "source": "labels", "served_by": "model", "model_version": "v1"}
            nothing = dict.fromkeys(("predicted_value", "confidence", "value", "score", "minutes"))
            rows.append({**facts, **ids, **kind, **nothing})
        self.database.insert("outcomes", rows)

    def end(self, day: int) -> Any:
        """Let a day end."""
        self.latest = START + (day + 1) * DAY
        hour = {
            "project": "default",
            "use_case": "reader",
            "hour": START + day * DAY,
            "calls": 100,
            "served_by": "model",
            "model_version": "v1",
        }
        self.database.insert("ai_calls_1h", [{**hour, "cost": 0}])
        return self.engine.tick(self.latest, self.latest)

    def told(self) -> dict[int, tuple[float | None, int, int]]:
        """List value, n and whether it is restated by day of the slot."""
        rows = self.database.rows("SELECT slot, value, n, restated FROM evaluations FINAL WHERE evaluator = 'accuracy'")
        days = [((row["slot"].replace(tzinfo=UTC) - START) // DAY, row) for row in rows]
        return {day: (row["value"], row["n"], row["restated"]) for day, row in sorted(days, key=lambda each: each[0])}


def test_late_labels_change_samples_and_no_alert(kit: Any, database: Any) -> None:
    """A page that labels of last week would not have sent stays a page, and one that they would have sent is not sent."""
    story = Story(kit, database)
    for day in range(6):
        story.label(day, right=60, wrong=0)
        story.end(day)
    before = story.told()

    story.label(2, right=0, wrong=240, known=6)
    story.label(6, right=60, wrong=0)
    report = story.end(6)

    after = story.told()
    assert [after[day] for day in (2, 3)] == [before[day] for day in (2, 3)]  # their windows end before that day
    assert after[4] == (180 / 420, 420, 1)
    assert after[6] == (300 / 540, 540, 1)
    assert after[7][2] == 0
    assert [(event.slot, event.to_state) for event in report.events] == [(START + 7 * DAY, "firing")]
    assert story.sink.moves() == [("accuracy-below-floor", "firing")]


def test_labels_in_time_restate_nothing(kit: Any, database: Any) -> None:
    """A mark on every sample would mark none."""
    story = Story(kit, database)
    for day in range(8):
        story.label(day, right=50, wrong=5)
        story.end(day)
    story.engine = story.start()
    story.end(8)

    assert [restated for _, _, restated in story.told().values()] == [0] * len(story.told())


def test_what_came_while_nobody_looked_is_found_after_a_restart(kit: Any, database: Any) -> None:
    """How far was looked is in memory only: a new process looks at the whole reach."""
    story = Story(kit, database)
    for day in range(6):
        story.label(day, right=60, wrong=0)
        story.end(day)
    story.label(1, right=0, wrong=60, known=5)

    story.engine = story.start()
    story.end(6)

    assert [story.told()[day] for day in (3, 6)] == [(120 / 180, 180, 1), (300 / 360, 360, 1)]


@pytest.mark.parametrize("labels", [0, 60])
def test_a_slot_that_had_no_label_gets_its_first(kit: Any, database: Any, labels: int) -> None:
    """Nothing was told of it, and now there is something to tell."""
    story = Story(kit, database)
    for day in range(5):
        story.end(day)
    story.label(1, right=labels, wrong=0, known=5)

    story.end(5)

    assert {day: told for day, told in story.told().items() if day < 6} == (
        dict.fromkeys(range(3, 6), (1.0, 60, 1)) if labels else {}
    )


def test_a_failure_is_reported_and_made_good(kit: Any, database: Any) -> None:
    """Today's slots are not held up by yesterday's, and yesterday's are not forgotten."""
    story = Story(kit, database)
    for day in range(5):
        story.label(day, right=60, wrong=0)
        story.end(day)
    story.label(1, right=0, wrong=60, known=5)
    story.is_broken = True

    failed = story.end(5).failed
    story.is_broken = False
    story.end(6)

    assert failed == {"restating": "ConnectionError: the store went away"}
    assert story.told()[4] == (180 / 240, 240, 1)

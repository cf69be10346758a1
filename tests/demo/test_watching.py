"""What the demo reads from tocsin, what it makes of it, and how it shows it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rich.console import Console

from tocsin_console.demo.display import PlainDisplay, closing, picture, sparkline
from tocsin_console.demo.observer import Observer
from tocsin_console.demo.on_call import has_recovered
from tocsin_console.demo.schedule import Calendar
from tocsin_console.demo.story import Belief, DayReport, Story
from tocsin_console.demo.workspace import Workspace, new_secret

CALENDAR = Calendar()


def estimate(day: int, value: float) -> Belief:
    """One estimate against a reference of 94 %."""
    return Belief(
        evaluator="estimated_accuracy",
        day=day,
        value=value,
        lower=value - 0.01,
        upper=value + 0.01,
        baseline=0.94,
        n=700,
    )


class FakeApi:
    """Answers every question with the same rows."""

    def __init__(self, rows: list[tuple[str, dict[str, Any]]]) -> None:
        self.rows = [[kind, json.dumps(row)] for kind, row in rows]
        self.asked: list[str] = []

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Answer as the loopback API does."""
        assert path == "/api/query"
        self.asked.append(body["sql"])
        return {"columns": ["kind", "row"], "rows": self.rows}


def test_on_call_waits_for_two_good_days() -> None:
    """One good day of probes is luck."""
    assert not has_recovered([])
    assert not has_recovered([estimate(90, 0.8), estimate(91, 0.938)])
    assert has_recovered([estimate(90, 0.8), estimate(91, 0.934), estimate(92, 0.938)])


def test_midnight_belongs_to_the_day_before() -> None:
    """A slot names the end of its window, so the slot at the end of day 3 speaks of day 3."""
    observer = Observer(FakeApi([]), CALENDAR)

    assert observer.day_of(CALENDAR.midnight(4)) == 3
    assert observer.day_of(CALENDAR.midnight(4) + timedelta(minutes=1)) == 4


def test_news_are_read_once_and_in_order() -> None:
    """Replayed rows of the journal must not become second events."""
    row = {"event_id": "e", "rule": "r", "labels": {"field": "ink"}, "severity": "page", "to_state": "firing"}
    api = FakeApi(
        [
            (
                "guard",
                {"version": 2, "state": "fallback", "actor": "b", "cause": "", "since": "2026-08-01 00:00:00.000"},
            ),
            ("guard", {"version": 1, "state": "verify", "actor": "a", "cause": "", "since": "2026-07-01 00:00:00.000"}),
            ("alert", {**row, "slot": "2026-07-01 00:00:00.000", "reason": "x"}),
            ("alert", {**row, "slot": "2026-07-01 00:00:00.000", "reason": "x"}),
            (
                "belief",
                {
                    "evaluator": "accuracy",
                    "slot": "2026-06-08 00:00:00.000",
                    "value": 0.94,
                    "lower": 0.93,
                    "upper": None,
                    "baseline": None,
                    "n": 7,
                },
            ),
        ]
    )
    observer = Observer(api, CALENDAR)

    news = observer.news()
    observer.news()

    assert [change.state for change in news.changes] == ["verify", "fallback"]
    assert [(alert.rule, alert.labels, alert.day) for alert in news.alerts] == [("r", "field=ink", 29)]
    assert [(belief.day, belief.upper) for belief in news.beliefs] == [(6, None)]
    assert "2026-06-08 00:00:00" in api.asked[1]


def test_the_sparkline_fits_and_leaves_gaps() -> None:
    """A long story on a narrow terminal must not wrap."""
    assert sparkline([0.74, None, 0.96], 10) == "▁ █"
    assert len(sparkline([0.9] * 104, 30)) <= 30


def test_every_display_can_show_a_story_from_its_first_day() -> None:
    """Nothing is known on the first day, and that must not stop the picture."""
    story = Story(calendar=CALENDAR)
    console = Console(width=100, record=True)
    for day in range(8):
        story.reports.append(
            DayReport(
                day=day, date="2026-06-01", calls=1, truth=0.9, guard="normal", asked=1, manual=0, spans_sent=day + 1
            )
        )
        story.beliefs.append(estimate(day, 0.93))
        PlainDisplay(console).refresh(story)
        console.print(picture(story, ["day 0 began"], width=100))
    console.print(closing(story, {**story.figures(), "spans_sent": 8, "spans_stored": 8}))

    text = console.export_text()

    assert "truth (hidden)" in text
    assert "93.0% [92.0%, 94.0%] (n 700)" in text
    assert "93.0% [92.0, 94.0]" in text
    assert "spans sent 8 = spans stored 8" in text


def test_the_files_it_writes_are_ones_that_tocsin_reads(tmp_path: Any) -> None:
    """The demo configures tocsin as any user would: one tocsin.yaml, one plan with no question left open."""
    from tocsin_alerts.plan import Plans
    from tocsin_console.config import Flags, resolve

    workspace = Workspace(folder=tmp_path)
    workspace.prepare(new_secret())
    workspace.write(webhook_url="http://127.0.0.1:1/pages", smtp_port=2)

    config = resolve(Flags(), environment={}, cwd=tmp_path)
    plan = Plans.load(config.use_cases_dir).get("default", "digit-reader")

    assert [channel.name for channel in config.channels] == ["on-call", "on-call-mail", "log"]
    assert config.run_file == workspace.run_file
    assert plan.unanswered() == []
    assert plan.guard.mode == "automatic"

"""What time it is for the engine, and who hears how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin_alerts.engine import TickReport
from tocsin_console.evaluation import Evaluation

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DATA = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class FakeEngine:
    """Notes its ticks; as far as it was told."""

    ticks: list[tuple[datetime, datetime]] = field(default_factory=list)
    through: datetime | None = None
    has_more: bool = False

    def tick(self, now: datetime, watermark: datetime) -> TickReport:
        """Note it."""
        self.ticks.append((now, watermark))
        return TickReport(has_more=self.has_more)

    def evaluated_through(self) -> datetime | None:
        """As told."""
        return self.through


@dataclass
class FakeMark:
    """A watermark that a test moves."""

    complete_to: datetime = NOW - timedelta(seconds=3)
    data_complete_to: datetime | None = None


@dataclass
class Desk:
    """An evaluation and everything around it."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    mark: FakeMark = field(default_factory=FakeMark)
    published: list[Mapping[str, str]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    met: list[Any] = field(default_factory=list)

    def evaluation(self, clock: Any) -> Evaluation:
        """Put it together."""
        return Evaluation(
            self.engine,
            clock=clock,
            now=lambda: NOW,
            watermark=lambda: self.mark,
            use_cases=lambda: self.asked.append(1) or [("default", "digits")],
            meet=self.met.append,
            publish=self.published.append,
        )


def test_by_the_wall_now_is_now_and_the_data_lag_behind() -> None:
    """A slot is due by the clock and judged once its data are complete."""
    desk = Desk()

    desk.evaluation("wall").turn()

    assert desk.engine.ticks == [(NOW, NOW - timedelta(seconds=3))]


def test_on_the_data_clock_nothing_is_due_before_there_are_data() -> None:
    """Otherwise the first slot of a replayed year would be this morning's."""
    desk = Desk()
    evaluation = desk.evaluation("data")

    assert evaluation.turn() is False
    assert desk.engine.ticks == []

    desk.mark.data_complete_to = DATA
    evaluation.turn()

    assert desk.engine.ticks == [(DATA, DATA)]
    assert evaluation.logical_now() == DATA


def test_progress_is_published_once_and_use_cases_are_asked_for_only_after_news() -> None:
    """A replaying service waits for it; an idle tocsin must not query the store each second."""
    desk = Desk()
    evaluation = desk.evaluation("wall")
    evaluation.turn()
    desk.engine.through = DATA
    evaluation.turn()
    evaluation.turn()

    assert desk.published == [{}, {"digits": DATA.isoformat()}]
    assert len(desk.asked) == 1
    evaluation.data_arrived()
    evaluation.turn()
    assert len(desk.asked) == 2
    assert desk.met == [[("default", "digits")]] * 2


def test_what_is_left_is_taken_at_once() -> None:
    """A year of history is many ticks."""
    desk = Desk(engine=FakeEngine(has_more=True))

    assert desk.evaluation("wall").turn() is True

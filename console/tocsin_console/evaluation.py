"""One turn of the engine: what time it is, what is due, and who must hear of it."""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from tocsin_alerts.engine import TickReport
from tocsin_console.config_file import Clock

UseCases = Iterable[tuple[str, str]]  # project and name


class Mark(Protocol):
    """Up to when everything is loaded."""

    @property
    def complete_to(self) -> datetime:
        """By arrival."""
        ...

    @property
    def data_complete_to(self) -> datetime | None:
        """By the data's own clock."""
        ...


class Ticking(Protocol):
    """The engine."""

    def tick(self, now: datetime, watermark: datetime) -> TickReport:
        """Take in every slot that is due."""
        ...

    def evaluated_through(self) -> datetime | None:
        """Say how far it has come."""
        ...


class Evaluation:
    """Ticks the engine and tells the guard's streams how far evaluation has come.

    Args:
        engine: Ticked from one thread.
        clock: ``wall``: now is the time; ``data``: now is the latest data, and nothing is due before there is any.
        now: The wall clock.
        watermark: The collector's.
        use_cases: Lists those that have calls.
        meet: Makes them known to the guard.
        publish: Told the time through which each is judged, when that changes.
        advanced: Called after each turn that evaluated something new.
    """

    def __init__(
        self,
        engine: Ticking,
        *,
        clock: Clock,
        now: Callable[[], datetime],
        watermark: Callable[[], Mark],
        use_cases: Callable[[], UseCases],
        meet: Callable[[UseCases], object],
        publish: Callable[[Mapping[str, str]], object],
        advanced: Callable[[], object] | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._now = now
        self._watermark = watermark
        self._use_cases = use_cases
        self._meet = meet
        self._publish = publish
        self._advanced = advanced
        self._has_news = threading.Event()
        self._has_news.set()
        self._known: list[tuple[str, str]] = []
        self._published: dict[str, str] | None = None

    def data_arrived(self) -> None:
        """Note that there may be new use cases; callable from any thread."""
        self._has_news.set()

    def logical_now(self) -> datetime:
        """Say what time it is on the clock that was chosen."""
        mark = self._watermark()
        return mark.data_complete_to or self._now() if self._clock == "data" else self._now()

    def turn(self) -> bool:
        """Take in what is due; says whether more is left.

        Raises:
            Exception: the store or a sink failed; take the turn again.
        """
        mark = self._watermark()
        if self._clock == "data":
            if mark.data_complete_to is None:
                return False
            report = self._engine.tick(mark.data_complete_to, mark.data_complete_to)
        else:
            report = self._engine.tick(self._now(), mark.complete_to)
        self._tell()
        if report.advanced and self._advanced:
            self._advanced()
        return report.has_more

    def _tell(self) -> None:
        if self._has_news.is_set():
            self._has_news.clear()
            self._known = sorted(self._use_cases())
            self._meet(self._known)
        through = self._engine.evaluated_through()
        said = {} if through is None else {use_case: through.isoformat() for _, use_case in self._known}
        if said != self._published:
            self._publish(said)
            self._published = said

"""Follows the story as it happens, and plays the person on call."""

import queue
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from tocsin_console.demo.display import Display
from tocsin_console.demo.launch import TOCSIN, DemoFailed, Up
from tocsin_console.demo.observer import Observer
from tocsin_console.demo.on_call import has_recovered
from tocsin_console.demo.processes import Child
from tocsin_console.demo.receivers import Delivery
from tocsin_console.demo.schedule import DEVICES, REFERENCE_DAYS, Calendar
from tocsin_console.demo.story import Arrival, DayReport, Event, Story
from tocsin_console.demo.workspace import USE_CASE, Workspace

Inbox = queue.SimpleQueue[Delivery | dict[str, Any] | None]  # from receivers and service; None: the service has ended

_ENDED_WITHIN_S = 15.0
_TOLD_WITHIN_S = 15.0  # of the end: notices still under way
_STORED_WITHIN_S = 15.0
_ASKED_EVERY_DAYS = 2  # of the data's clock


class Watcher:
    """Takes in what arrives until the service has ended, and asks tocsin what it makes of it."""

    def __init__(self, story: Story, display: Display, observer: Observer, workspace: Workspace) -> None:
        self._story = story
        self._display = display
        self._observer = observer
        self._workspace = workspace
        self._is_released = False
        self._alerts_told = 0

    def follow(self, inbox: Inbox, service: Child, up: Up) -> None:
        """Watch every day.

        Raises:
            DemoFailed: a process ended badly; the message holds the end of the logs.
        """
        while (news := inbox.get()) is not None:
            if isinstance(news, Delivery):
                self._take(news)
            elif news["kind"] == "day":
                self._take_day(news)
            else:
                self._story.spans_sent = int(news["spans_ended"])
                self._story.dropped = int(news["dropped"])
        if code := service.wait(_ENDED_WITHIN_S):
            raise DemoFailed(
                f"the service ended with code {code}:\n{service.tail()}\n"
                f"tocsin up (code {up.child.exit_code}) says:\n{up.child.tail()}"
            )

    def settle(self, inbox: Inbox) -> None:
        """Take in what is still under way: the last spans into the store, and the last notices."""
        story = self._story
        deadline = time.monotonic() + _STORED_WITHIN_S
        while (stored := self._observer.spans_stored()) != story.spans_sent and time.monotonic() < deadline:
            time.sleep(0.1)
        story.spans_stored = stored
        self._ask()
        deadline = time.monotonic() + _TOLD_WITHIN_S
        while story.awaits_notices() and time.monotonic() < deadline:
            try:
                news = inbox.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(news, Delivery):
                self._take(news)
        self._display.refresh(story)

    def _take_day(self, told: dict[str, Any]) -> None:
        story = self._story
        report = DayReport(**{name: told[name] for name in DayReport.__dataclass_fields__})
        story.reports.append(report)
        for event in _hidden_events(story.calendar, report.day):
            self._tell(Event(report.day, 0, event))
        if report.day % _ASKED_EVERY_DAYS == 0 or report.guard != story.guard_states[-1]:
            self._ask()
        estimates = [b for b in story.beliefs if b.evaluator == "estimated_accuracy" and b.day >= REFERENCE_DAYS]
        if not self._is_released and story.guard_states[-1] == "fallback" and has_recovered(estimates):
            self._is_released = True
            self._release(estimates[-1].day)
        self._display.refresh(story)

    def _ask(self) -> None:
        story, news = self._story, self._observer.news()
        story.beliefs.extend(news.beliefs)
        for change in news.changes[len(story.changes) :]:
            story.changes.append(change)
            who = "" if change.actor.startswith("rule:") else f"{change.actor}: "
            self._tell(Event(change.day, 2, f"guard → {change.state} ({who}{change.cause})"))
        story.alerts[:] = news.alerts
        for alert in news.alerts[self._alerts_told :]:
            if story.is_news(alert):
                what = f"{alert.rule}{f' ({alert.labels})' if alert.labels else ''}"
                self._tell(Event(alert.day, 1, f"{alert.severity} {what} {alert.state}: {alert.reason}"))
        self._alerts_told = len(news.alerts)

    def _take(self, delivery: Delivery) -> None:
        story, display = self._story, self._display
        arrival = Arrival(day=self._day_of(delivery), delivery=delivery)
        story.arrivals.append(arrival)
        self._tell(Event(arrival.day, 3, f"{delivery.channel} received: {delivery.subject} ({arrival.transition})"))
        if delivery.channel == "mail" and arrival.transition in {"firing", "resolved"}:
            display.page(delivery.text, title=f"as on-call received it, day {arrival.day}: {delivery.subject}")
        display.refresh(story)

    def _day_of(self, delivery: Delivery) -> int:
        if delivery.slot is not None:
            return self._observer.day_of(delivery.slot)
        return self._story.reports[-1].day if self._story.reports else 0

    def _release(self, day: int) -> None:
        command = ["guard", "release", USE_CASE, "--by", "demo-operator"]
        said = f"the probes have recovered; on call runs: tocsin {' '.join(command)}"
        self._tell(Event(day, 4, said))
        done = subprocess.run(
            [*TOCSIN, *command], cwd=self._workspace.folder, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise DemoFailed(f"tocsin guard release ended with code {done.returncode}: {done.stdout}{done.stderr}")

    def _tell(self, event: Event) -> None:
        self._story.events.append(event)
        self._display.tell(event.day, event.text)


def _hidden_events(calendar: Calendar, day: int) -> Iterator[str]:
    """What really happened to the scanners on a day, which nobody told tocsin."""
    if day == 0:
        return
    before, now = calendar.wear(day - 1), calendar.wear(day)
    for name, was, is_now in zip(DEVICES, before, now, strict=True):
        if was == 0 and is_now > 0:
            yield f"(hidden) {name} begins to wear: blur, noise, slip"
    if before.any() and not now.any():
        yield "new scanners are installed"

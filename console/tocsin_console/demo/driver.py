"""Runs the story: starts the parts, watches what tocsin says, plays the person on call, and judges the end."""

import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from tocsin_console.client import Client
from tocsin_console.demo import DEFAULT_SEED
from tocsin_console.demo.display import Display, LiveDisplay, PlainDisplay, closing
from tocsin_console.demo.observer import Observer
from tocsin_console.demo.on_call import has_recovered
from tocsin_console.demo.processes import Child
from tocsin_console.demo.receivers import Delivery, Mailbox, WebhookReceiver
from tocsin_console.demo.schedule import DEVICES, REFERENCE_DAYS, Calendar
from tocsin_console.demo.story import Arrival, DayReport, Story
from tocsin_console.demo.workspace import USE_CASE, Workspace, new_secret
from tocsin_console.errors import FINDING, OK, ConsoleError, Unreachable
from tocsin_console.running import read_run_file

_STARTED_WITHIN_S = 60.0
_TOLD_WITHIN_S = 15.0  # of the end: notices still under way
_STORED_WITHIN_S = 15.0
_ASKED_EVERY_DAYS = 2  # of the data's clock, half a second each
_INTERRUPTED = 130  # as shells say it


class DemoFailed(ConsoleError):  # noqa: N818 - says what is so
    """A process of the demo ended or fell silent before the story did."""

    exit_code = FINDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the story is to be told."""

    once: bool = False
    json_path: Path | None = None
    decay: bool = True
    data_dir: Path | None = None  # an empty folder to keep; None: one that is removed in the end
    seed: int = DEFAULT_SEED
    decay_days: int = 60
    recovery_days: int = 16


def tell(options: Options) -> int:
    """Tell the story once.

    Returns:
        0 when it happened as promised, 1 when not (the reason is printed), 130 when somebody ended it.
    """
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to end, it ends its processes first
    try:
        with _folder(options.data_dir) as folder, ExitStack() as processes:
            telling = _Telling(options, Workspace(folder=folder), console, processes)
            code = telling.run()
            if not options.once and telling.is_up:
                telling.linger()
            return code
    except KeyboardInterrupt:
        console.print("ended; every process of the demo is stopped")
        return _INTERRUPTED if options.once else OK


class _Telling:
    """One run of the story."""

    def __init__(self, options: Options, workspace: Workspace, console: Console, processes: ExitStack) -> None:
        self._options = options
        self._workspace = workspace
        self._console = console
        self._processes = processes
        self._story = Story(
            calendar=Calendar(decay_days=options.decay_days, recovery_days=options.recovery_days, decays=options.decay)
        )
        self._inbox: queue.SimpleQueue[Delivery | dict[str, Any] | None] = queue.SimpleQueue()
        self._addresses: dict[str, Any] = {}
        self._up: Child | None = None
        self._is_released = False
        self._alerts_told = 0

    def run(self) -> int:
        """Run it all and print the end."""
        began = time.monotonic()
        live = self._console.is_terminal
        with LiveDisplay(self._console) if live else PlainDisplay(self._console) as display:
            try:
                up = self._up = self._start_up(display)
                service = self._start_service(display)
                observer = Observer(Client(str(self._addresses["api"]), where="the demo's own"), self._story.calendar)
                self._watch(display, observer, service, up)
                self._wait_for_the_end(display, observer, began)
            except ConsoleError as error:
                self._story.wall_s = time.monotonic() - began
                return self._conclude([str(error)])
        self._story.wall_s = time.monotonic() - began
        return self._conclude(self._story.failures())

    @property
    def is_up(self) -> bool:
        """Whether there is a tocsin to look around in."""
        return self._up is not None and self._up.exit_code is None

    def linger(self) -> None:
        """Keep tocsin up and say what to open."""
        here = self._workspace.folder
        self._console.print(
            f"\ntocsin is still running. Open [bold]http://{self._addresses.get('api')}/[/], or in another terminal:\n"
            f"  cd {here}\n"
            f"  tocsin status\n"
            f"  tocsin alerts list --all\n"
            f"  tocsin guard show {USE_CASE}\n"
            f'  tocsin query "SELECT day, labels, accuracy FROM quality_daily ORDER BY day"\n'
            f"The plan and the configuration that it ran with are in {here}. Ctrl-C ends it."
        )
        threading.Event().wait()

    def _start_up(self, display: Display) -> Child:
        workspace = self._workspace
        secret = new_secret()
        workspace.prepare(secret)
        webhook = self._processes.enter_context(WebhookReceiver(secret, self._inbox.put))
        mailbox = self._processes.enter_context(Mailbox(self._inbox.put))
        workspace.write(webhook_url=webhook.url, smtp_port=mailbox.port)
        display.tell(None, "tocsin up --clock data")
        up = self._processes.enter_context(
            Child([*_TOCSIN, "up", "--clock", "data"], log=workspace.log("up"), cwd=workspace.folder, environment={})
        )
        deadline = time.monotonic() + _STARTED_WITHIN_S
        while not self._is_ready():
            if up.exit_code is not None:
                raise DemoFailed(f"tocsin up ended with code {up.exit_code}:\n{up.tail()}")
            if time.monotonic() > deadline:
                raise DemoFailed(f"tocsin up was not ready within {_STARTED_WITHIN_S:.0f} s:\n{up.tail()}")
            time.sleep(0.1)
        display.tell(None, f"it listens: spans on {self._addresses['grpc']}, console on {self._addresses['api']}")
        return up

    def _is_ready(self) -> bool:
        self._addresses = read_run_file(self._workspace.run_file)
        if "api" not in self._addresses:
            return False
        try:
            return bool(Client(str(self._addresses["api"]), where="").get("/readyz")["ready"])
        except Unreachable:
            return False

    def _start_service(self, display: Display) -> Child:
        options = self._options
        command = [sys.executable, "-m", "tocsin_console.demo.service", "--seed", str(options.seed)]
        command += ["--decay-days", str(options.decay_days), "--recovery-days", str(options.recovery_days)]
        if not options.decay:
            command.append("--no-decay")
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self._addresses['grpc']}",
            "TOCSIN_GUARD_ENDPOINT": str(self._addresses["guard"]),
            # A replayed day takes 0.2 s: let it leave in one piece rather than in two, each with the cost of an insert.
            "OTEL_BSP_SCHEDULE_DELAY": "1000",
            "OMP_NUM_THREADS": "1",  # small matrices: threads only cost here
        }
        log = self._workspace.log("service")
        service = self._processes.enter_context(
            Child(command, log=log, cwd=self._workspace.folder, environment=environment, reads=True)
        )
        threading.Thread(target=self._listen, args=(service,), name="demo-service", daemon=True).start()
        display.tell(
            None, "a service trains a classifier on handwritten digits; tocsin.instrument_sklearn() watches it"
        )
        return service

    def _listen(self, service: Child) -> None:
        for line in service.lines():
            self._inbox.put(json.loads(line))
        self._inbox.put(None)

    def _watch(self, display: Display, observer: Observer, service: Child, up: Child) -> None:
        while (news := self._inbox.get()) is not None:
            if isinstance(news, Delivery):
                self._take(news, display, observer)
            elif news["kind"] == "day":
                self._take_day(news, display, observer)
            else:
                self._story.spans_sent = int(news["spans_ended"])
                self._story.dropped = int(news["dropped"])
        if code := service.wait(_TOLD_WITHIN_S):
            raise DemoFailed(
                f"the service ended with code {code}:\n{service.tail()}\n"
                f"tocsin up (code {up.exit_code}) says:\n{up.tail()}"
            )

    def _take_day(self, told: dict[str, Any], display: Display, observer: Observer) -> None:
        story = self._story
        report = DayReport(**{name: told[name] for name in DayReport.__dataclass_fields__})
        story.reports.append(report)
        for event in _hidden_events(story.calendar, report.day):
            self._tell(display, report.day, event)
        if report.day % _ASKED_EVERY_DAYS == 0 or report.guard != story.guard_states[-1]:
            self._ask(display, observer)
        estimates = [b for b in story.beliefs if b.evaluator == "estimated_accuracy" and b.day >= REFERENCE_DAYS]
        if not self._is_released and story.guard_states[-1] == "fallback" and has_recovered(estimates):
            self._is_released = True
            self._release(display, estimates[-1].day)
        display.refresh(story)

    def _ask(self, display: Display, observer: Observer) -> None:
        story, news = self._story, observer.news()
        story.beliefs.extend(news.beliefs)
        for change in news.changes[len(story.changes) :]:
            story.changes.append(change)
            self._tell(display, change.day, f"guard → {change.state} ({change.actor}: {change.cause})")
        story.alerts[:] = news.alerts
        for alert in news.alerts[self._alerts_told :]:
            if story.is_news(alert):
                what = f"{alert.rule}{f' ({alert.labels})' if alert.labels else ''}"
                self._tell(display, alert.day, f"{alert.severity} {what} {alert.state}: {alert.reason}")
        self._alerts_told = len(news.alerts)

    def _take(self, delivery: Delivery, display: Display, observer: Observer) -> None:
        story = self._story
        arrival = Arrival(day=self._day_of(delivery, observer), delivery=delivery)
        story.arrivals.append(arrival)
        self._tell(display, arrival.day, f"{delivery.channel} received: {delivery.subject} ({arrival.transition})")
        if delivery.channel == "mail" and arrival.transition in {"firing", "resolved"}:
            display.page(delivery.text, title=f"as on-call received it, day {arrival.day}: {delivery.subject}")
        display.refresh(story)

    def _day_of(self, delivery: Delivery, observer: Observer) -> int:
        slot = delivery.slot
        if slot is not None:
            return observer.day_of(slot)
        return self._story.reports[-1].day if self._story.reports else 0

    def _release(self, display: Display, day: int) -> None:
        command = ["guard", "release", USE_CASE, "--by", "demo-operator"]
        self._tell(display, day, f"the probes have recovered; on call runs: tocsin {' '.join(command)}")
        done = subprocess.run(
            [*_TOCSIN, *command], cwd=self._workspace.folder, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            raise DemoFailed(f"tocsin guard release ended with code {done.returncode}: {done.stdout}{done.stderr}")

    def _wait_for_the_end(self, display: Display, observer: Observer, began: float) -> None:
        """Take in what is still under way: the last notices, and the last spans into the store."""
        story = self._story
        deadline = time.monotonic() + _STORED_WITHIN_S
        while (stored := observer.spans_stored()) != story.spans_sent and time.monotonic() < deadline:
            time.sleep(0.1)
        story.spans_stored = stored
        self._ask(display, observer)
        deadline = time.monotonic() + _TOLD_WITHIN_S
        while story.failures() and time.monotonic() < deadline:
            try:
                news = self._inbox.get(timeout=0.2)
            except queue.Empty:
                if not story.awaits_notices():
                    break
                continue
            if isinstance(news, Delivery):
                self._take(news, display, observer)
        story.wall_s = time.monotonic() - began
        display.refresh(story)

    def _conclude(self, failures: list[str]) -> int:
        figures = {"ok": not failures, "failures": failures, **self._story.figures()}
        if self._story.reports:
            self._console.print(closing(self._story, figures))
        if failures:
            self._console.print("The story did not happen as promised:", style="bold red")
            for failure in failures:
                self._console.print(f"  - {failure}", markup=False, highlight=False)
        elif self._options.decay:
            self._console.print(
                "It happened as promised: one page, in time; a guard that tripped; one resolve.", style="green"
            )
        else:
            self._console.print(
                "Nothing was wrong, and nobody was told anything: no page, the guard stayed normal.", style="green"
            )
        if self._options.json_path:
            text = json.dumps(figures, indent=2, ensure_ascii=False)
            self._options.json_path.write_text(text + "\n", encoding="utf-8")
        return FINDING if failures else OK

    def _tell(self, display: Display, day: int, event: str) -> None:
        self._story.events.append((day, event))
        display.tell(day, event)


_TOCSIN = (sys.executable, "-m", "tocsin_console")


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


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as name:
            yield Path(name)
        return
    if kept.exists() and any(kept.iterdir()):
        raise DemoFailed(f"expected an empty folder for the demo, got {kept}: give another, or none")
    kept.mkdir(parents=True, exist_ok=True)
    yield kept.resolve()

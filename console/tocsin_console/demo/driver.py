"""Runs the story: starts the parts, watches them, judges the end, and puts everything away."""

import json
import queue
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from tocsin_console.client import Client
from tocsin_console.demo import DEFAULT_SEED
from tocsin_console.demo.display import Display, LiveDisplay, PlainDisplay, closing
from tocsin_console.demo.launch import Up, introduce, start_service, start_up
from tocsin_console.demo.observer import Observer
from tocsin_console.demo.processes import Child
from tocsin_console.demo.schedule import Calendar
from tocsin_console.demo.story import Story
from tocsin_console.demo.watch import Inbox, Watcher
from tocsin_console.demo.workspace import USE_CASE, Workspace
from tocsin_console.errors import FINDING, OK, ConsoleError, UsageProblem

_NEEDED = ("aiosmtpd", "pandas", "sklearn")
_INTERRUPTED = 130  # as shells say it


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

    def for_service(self) -> list[str]:
        """The part of them that the service is started with."""
        said = ["--seed", str(self.seed), "--decay-days", str(self.decay_days)]
        said += ["--recovery-days", str(self.recovery_days)]
        return said if self.decay else [*said, "--no-decay"]


def tell(options: Options) -> int:
    """Tell the story once.

    Returns:
        0 when it happened as promised, 1 when not (the reason is printed), 130 when somebody ended it.

    Raises:
        UsageProblem: something that it needs is missing, or the folder is not empty.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise UsageProblem(f"the demo needs {', '.join(missing)} beside the server: pip install 'tocsin[demo]'")
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to end, it ends its processes first
    try:
        with _folder(options.data_dir) as folder, ExitStack() as processes:
            telling = _Telling(options, Workspace(folder=folder), console, processes)
            code = telling.run()
            if not options.once:
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
        self._inbox: Inbox = queue.SimpleQueue()
        self._up: Up | None = None

    def run(self) -> int:
        """Run it all, print the end and write the figures."""
        began = time.monotonic()
        failures: list[str] = []
        with LiveDisplay(self._console) if self._console.is_terminal else PlainDisplay(self._console) as display:
            try:
                self._play(display)
            except ConsoleError as error:
                failures.append(str(error))
        self._story.wall_s = time.monotonic() - began
        return self._conclude(failures or self._story.failures())

    def linger(self) -> None:
        """Keep tocsin up, if it is, and say what to open."""
        if self._up is None or self._up.child.exit_code is not None:
            return
        here = self._workspace.folder
        command = "tocsin" if shutil.which("tocsin") else Path(sys.executable).with_name("tocsin")
        self._console.print(
            f"\ntocsin is still running. Open [bold]http://{self._up.addresses['api']}/[/], or in another terminal:\n"
            f"  cd {here}\n"
            f"  {command} status\n"
            f"  {command} alerts list --all\n"
            f"  {command} guard show {USE_CASE}\n"
            f'  {command} query "SELECT day, labels, accuracy FROM quality_daily ORDER BY day"\n'
            f"The plan and the configuration that it ran with are in {here}. Ctrl-C ends it.",
            soft_wrap=True,
        )
        threading.Event().wait()

    def _play(self, display: Display) -> None:
        story = self._story
        display.tell(
            None, "a service trains a classifier on handwritten digits; tocsin.instrument_sklearn() watches it"
        )
        service = start_service(self._processes, self._workspace, self._options.for_service())
        display.tell(None, "tocsin up --clock data")
        display.refresh(story)
        up = self._up = start_up(self._processes, self._workspace, self._inbox.put)
        display.tell(None, f"it listens: spans on {up.addresses['grpc']}, console on {up.addresses['api']}")
        display.refresh(story)
        introduce(service, up)
        threading.Thread(target=self._listen, args=(service,), name="demo-service", daemon=True).start()
        observer = Observer(Client(str(up.addresses["api"]), where="for the demo"), story.calendar)
        watcher = Watcher(story, display, observer, self._workspace)
        watcher.follow(self._inbox, service, up)
        watcher.settle(self._inbox)

    def _listen(self, service: Child) -> None:
        for line in service.lines():
            self._inbox.put(json.loads(line))
        self._inbox.put(None)

    def _conclude(self, failures: list[str]) -> int:
        console = self._console
        figures = {"ok": not failures, "failures": failures, **self._story.figures()}
        if self._story.reports:
            console.print(closing(self._story, figures))
        if failures:
            console.print("The story did not happen as promised:", style="bold red")
            for failure in failures:
                console.print(f"  - {failure}", markup=False, highlight=False)
        elif self._options.decay:
            console.print(
                "It happened as promised: one page, in time; a guard that tripped; one resolve.", style="green"
            )
        else:
            console.print("Nothing was wrong, nobody was told anything, and the guard stayed normal.", style="green")
        if self._options.json_path:
            text = json.dumps(figures, indent=2, ensure_ascii=False)
            self._options.json_path.write_text(text + "\n", encoding="utf-8")
        return FINDING if failures else OK


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as name:
            yield Path(name)
        return
    if kept.exists() and any(kept.iterdir()):
        raise UsageProblem(f"expected an empty folder for the demo, got {kept}: give another, or none")
    kept.mkdir(parents=True, exist_ok=True)
    yield kept.resolve()

"""The story as people see it: live on a terminal, line by line anywhere else, and the closing table."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tocsin_console.demo.story import Belief, Story, weeks

_BLOCKS = "▁▂▃▄▅▆▇█"
_LOWEST, _HIGHEST = 0.74, 0.96  # accuracy that the sparklines span
_GUARD_COLOURS = {"normal": "green", "verify": "yellow", "fallback": "red", "off": "red"}
_EVENTS_SHOWN = 12


class Display(Protocol):
    """Where the story is told."""

    def refresh(self, story: Story) -> None:
        """Show where things stand."""
        ...

    def tell(self, day: int | None, event: str) -> None:
        """Say that something happened, on a day of the story or before it."""
        ...

    def page(self, text: str, *, title: str) -> None:
        """Show a message as it was delivered."""
        ...


class PlainDisplay:
    """Lines of text, for logs and for CI."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Nothing to put away."""

    def refresh(self, story: Story) -> None:
        """Print one line a week."""
        last = story.reports[-1] if story.reports else None
        if last and last.day % 7 == 6:
            estimate, labels = story.latest("estimated_accuracy"), story.latest("accuracy")
            self._print(
                f"{last.date}  day {last.day:>3}  true {last.truth:.1%}  estimate {interval(estimate)}  "
                f"labels {interval(labels)}  guard {last.guard}  spans {last.spans_sent:,}"
            )

    def tell(self, day: int | None, event: str) -> None:
        """Print one line."""
        self._print(event if day is None else f"  * day {day}: {event}")

    def page(self, text: str, *, title: str) -> None:
        """Print it between two rules."""
        self._print(f"---- {title}")
        self._print(text.rstrip())
        self._print("----")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveDisplay:
    """One panel that is redrawn in place; pages and events scroll away above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._events: list[str] = []

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._live.stop()

    def refresh(self, story: Story) -> None:
        """Redraw the panel."""
        self._live.update(picture(story, self._events[-_EVENTS_SHOWN:], width=self._console.width))

    def tell(self, day: int | None, event: str) -> None:
        """Add to the list of events."""
        self._events.append(event if day is None else f"day {day:>3}  {event}")

    def page(self, text: str, *, title: str) -> None:
        """Print it above the panel, to stay."""
        self._console.print(Panel(Text(text.rstrip()), title=title, border_style="red", expand=False))


def picture(story: Story, events: Sequence[str], *, width: int) -> RenderableType:
    """Draw where things stand: the truth that nobody in production sees, and what tocsin believes."""
    grid = Table.grid(padding=(0, 2))
    room = max(width - 50, 10)
    truths = [report.truth for report in story.reports]
    grid.add_row("truth (hidden)", sparkline(truths, room), f"{truths[-1]:.1%} today" if truths else "")
    for name, evaluator in (("tocsin's estimate", "estimated_accuracy"), ("late labels", "accuracy")):
        series = [story.belief(evaluator, report.day) for report in story.reports]
        values = [belief.value if belief else None for belief in series]
        grid.add_row(name, sparkline(values, room), interval(story.latest(evaluator)))
    state = story.guard_states[-1]
    report = story.reports[-1] if story.reports else None
    title = f"digit-reader · {report.date} · day {report.day} of {story.calendar.days}" if report else "digit-reader"
    guard = Text.assemble("guard ", (f" {state} ", f"reverse {_GUARD_COLOURS.get(state, 'white')}"))
    if report:
        guard.append(f"   model asked {report.asked:,} of {report.calls:,}, manual {report.manual:,}")
        guard.append(f"   spans {report.spans_sent:,}")
    return Panel(Group(grid, Text(), guard, Text(), Text("\n".join(events))), title=title, border_style="cyan")


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Draw a series in at most ``width`` characters; a gap where nothing was known."""
    step = max(1, -(-len(values) // width))
    groups = [[value for value in values[i : i + step] if value is not None] for i in range(0, len(values), step)]
    return "".join(_block(sum(group) / len(group)) if group else " " for group in groups)


def interval(belief: Belief | None) -> str:
    """Print a measured share with its interval and evidence."""
    if belief is None:
        return "-"
    if belief.lower is None or belief.upper is None:
        return f"{belief.value:.1%} (n {belief.n:,})"
    return f"{belief.value:.1%} [{belief.lower:.1%}, {belief.upper:.1%}] (n {belief.n:,})"


def closing(story: Story, figures: dict[str, Any]) -> RenderableType:
    """Draw the table of weeks and the figures under it."""
    table = Table(title="True accuracy beside what tocsin believed, by week", title_justify="left", box=None)
    for heading in ("days", "truth", "estimate (no labels)", "late labels*"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("guard", no_wrap=True)
    for week in weeks(len(story.reports)):
        truth = story.truth(week)
        guards = list(dict.fromkeys(report.guard for report in story.reports[week.start : week.stop]))
        table.add_row(
            f"{week.start}-{week.stop - 1}",
            "" if truth is None else f"{truth:.1%}",
            _brief(story.belief("estimated_accuracy", week.stop - 1)),
            _brief(story.belief("accuracy", week.stop - 1)),
            " → ".join(guards),
        )
    note = Text("* of the calls of the seven days that end five days earlier: labels are late", style="dim")
    spans = f"spans sent {figures['spans_sent']:,} = spans stored {figures['spans_stored']:,}"
    if figures["spans_sent"] != figures["spans_stored"]:
        spans = spans.replace("=", "≠")
    parts: list[RenderableType] = [table, note, Text()]
    if figures["events"]:
        events = Table(title="What happened", title_justify="left", box=None, show_header=False)
        events.add_column("day", justify="right", no_wrap=True)
        events.add_column("event")
        for told in figures["events"]:
            events.add_row(f"day {told['day']}", Text(told["event"]))
        parts += [events, Text()]
    return Group(*parts, Text(f"{spans}   wall time {figures['wall_s']:.1f} s", style="bold"))


def _brief(belief: Belief | None) -> str:
    if belief is None or belief.lower is None or belief.upper is None:
        return "-"
    return f"{belief.value:.1%} [{belief.lower * 100:.1f}, {belief.upper * 100:.1f}]"


def _block(value: float) -> str:
    share = (value - _LOWEST) / (_HIGHEST - _LOWEST)
    return _BLOCKS[min(max(int(share * len(_BLOCKS)), 0), len(_BLOCKS) - 1)]

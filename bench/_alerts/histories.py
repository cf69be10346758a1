"""Crash at any write of any history, start again, and see that nothing of the story has changed; evaluators fail in half of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from bench._alerts.books import Books, PowerCut
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tocsin_alerts import documents
from tocsin_alerts.engine import Engine
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Quality
from tocsin_alerts.ports import Query
from tocsin_alerts.records import AlertEvent, Sample
from tocsin_alerts.rules import RuleBook, compile_rule

HOUR: Final = timedelta(hours=1)
DAY_0: Final = datetime(2026, 3, 1, tzinfo=UTC)
_RANGE: Final = {"since": "DateTime64(3)", "until": "DateTime64(3)", "step_s": "UInt32"}
_COLUMNS: Final = dict.fromkeys(("project", "use_case", "slot", "value", "lower", "upper", "baseline", "n"), "")
_SERIES: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "accuracy": ({"model_version": "v1"},),
    "null_rate": ({"field": "ink"}, {"field": "age"}),
    "input_psi": ({"field": "ink"}, {"field": "age"}),
}
_TRIES: Final = 18  # a tick more than the longest pause after failures, and one
Value = float | None | Literal["gone"]


@dataclass(frozen=True)
class Source:
    """An evaluator by name."""

    name: str
    params: Mapping[str, str] = field(default_factory=lambda: dict(_RANGE))
    columns: Mapping[str, str] = field(default_factory=lambda: dict(_COLUMNS))
    hash: str = "made"


@dataclass(frozen=True)
class History:
    """What evaluators say hour by hour, when the engine ticks, how its rules wait, and where the power is cut."""

    values: Mapping[str, Sequence[Value]]  # by evaluator and number of its series: one for each hour
    ticks: Sequence[int]  # hours, rising
    hold: int
    keep: int
    mode: Literal["wall", "data"]
    cuts: Sequence[tuple[int, bool]]  # which insert since the last start, and whether it is stored
    failing: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # evaluators, and from which hour to which

    @property
    def looks(self) -> list[int]:
        """The hour of each tick; where evaluators fail each comes often enough for whatever rests to be tried again."""
        tries = _TRIES if self.failing else 1
        return [hour for hour in (0, *self.ticks) for _ in range(tries)]


@dataclass
class Ear:
    """A sink that remembers: event, incident, and whether people were told that it fires.

    That something is over is told to whoever heard that it fired: delivery sees to that.
    """

    heard: list[tuple[str, str, bool]]

    def handle(self, events: Sequence[AlertEvent], slot: datetime, *, live: bool) -> None:
        """Remember ids, which is what receivers tell messages apart by."""
        del slot
        self.heard += [(event.event_id, event.incident, live and event.to_state == "firing") for event in events]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw one: two days at most, ticks with gaps, one to three cuts."""
    value: st.SearchStrategy[Value] = st.sampled_from([0.0, 0.0, 0.5, 0.5, 0.9, None, "gone"])
    hours = draw(st.integers(26, 50))
    values = {
        f"{name} {number}": _steps(draw(st.lists(st.tuples(value, st.integers(1, 9)), min_size=4, max_size=10)), hours)
        for name, series in _SERIES.items()
        for number in range(len(series))
    }
    failures = st.tuples(st.integers(1, 40), st.integers(2, 20)).map(lambda said: (said[0], said[0] + said[1]))
    ticks = sorted(draw(st.sets(st.integers(1, hours), min_size=3, max_size=7)))
    return History(
        values=values,
        ticks=ticks,
        hold=draw(st.integers(0, 3)),
        keep=draw(st.integers(0, 3)),
        mode=draw(st.sampled_from(["wall", "data"])),
        cuts=draw(st.lists(st.tuples(st.integers(0, 5 * len(ticks)), st.booleans()), min_size=1, max_size=3)),
        failing=draw(st.dictionaries(st.sampled_from(sorted(_SERIES)), failures, max_size=1)),
    )


def differs(history: History) -> str:
    """Live it once undisturbed and once with its power cuts; say how the ends differ, nothing when they do not."""
    whole, cut = Books(DAY_0), Books(DAY_0)
    calm: list[tuple[str, str, bool]] = []
    shaken: list[tuple[str, str, bool]] = []
    live(history, whole, calm, history.looks, epoch=1)
    left = history.looks
    for number, (at, after) in enumerate(history.cuts):
        cut.cut_at, cut.after, cut.inserts = at, after, 0
        if not live(history, cut, shaken, left, epoch=1 + number):
            break
    cut.cut_at = -1
    live(history, cut, shaken, left, epoch=2 + len(history.cuts))
    for what, one, other in (
        ("events", whole.events(), cut.events()),
        ("states", whole.standing(), cut.standing()),
        ("heard", {each[:2] for each in calm}, {each[:2] for each in shaken}),
        ("incidents", _told(calm), _told(shaken)),
    ):
        if one != other:
            return f"{what}: {one} became {other}"
    return ""


def run(examples: int, *, begin: int = 1) -> tuple[int, list[str]]:
    """Live many histories, the same ones each time.

    Args:
        examples: How many.
        begin: Others for another number.

    Returns:
        How many were lived, and those that differed, with how.
    """
    lived = [0]
    differing: list[str] = []

    @seed(begin)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(histories())
    def each(history: History) -> None:
        lived[0] += 1
        if said := differs(history):
            differing.append(f"{history}: {said}")

    each()
    return lived[0], differing


def live(history: History, query: Query, heard: list[tuple[str, str, bool]], left: list[int], *, epoch: int) -> bool:
    """Tick through the hours that are left, and say whether the power was cut; the hour in which it was stays."""
    engine = Engine(
        query,
        _book(history),
        {},
        Plans.of(Plan(use_case="triage", quality=Quality(floor=0.4))),
        epoch=epoch,
        clock_mode=history.mode,
        handlers=[Ear(heard)],
        maintain=lambda _day: None,
        evaluate=lambda _query, source, **asked: _answers(history, source.name, at=left[0], **asked),
    )
    try:
        while left:
            now = DAY_0 + left[0] * HOUR
            engine.tick(now, now)
            left.pop(0)
    except PowerCut:
        return True
    return False


def _told(heard: Sequence[tuple[str, str, bool]]) -> set[str]:
    return {incident for _, incident, was_told in heard if was_told}


def _answers(
    history: History, name: str, *, at: int, since: datetime, until: datetime, step_s: int, **_: Any
) -> list[Sample]:
    fails = history.failing.get(name)
    if fails and fails[0] <= at < fails[1]:
        raise TimeoutError("the store took too long")
    step = timedelta(seconds=step_s)
    slots = [since + step * (index + 1) for index in range((until - since) // step)]
    facts = {"project": "default", "use_case": "triage", "lower": None, "baseline": None, "n": 1000}
    found = []
    for slot in slots:
        hour = (slot - DAY_0) // HOUR
        for number, labels in enumerate(_SERIES[name]):
            value = history.values[f"{name} {number}"][hour - 1] if hour > 0 else "gone"
            if value != "gone":
                found.append(Sample(slot=slot, value=value, upper=value, labels=labels, **facts))  # type: ignore[arg-type]
    return found


def _book(history: History) -> RuleBook:
    waits = f"for: {history.hold}\nkeep_firing_for: {history.keep}\n"
    texts = (
        "rule: floor\nsummary: s\nevaluator: accuracy\nevery: 6h\nseverity: page\nwhen: upper < floor\nclear: value >= 0.8\n",
        "rule: nulls\nsummary: s\nevaluator: null_rate\nevery: 1h\nseverity: page\nwhen: value >= 0.5\n" + waits,
        "rule: drift\nsummary: s\nevaluator: input_psi\nseverity: ticket\nevery: 2h\nwhen: value >= 0.4\n"
        + waits
        + "limit: 1\nno_data: 6h\n",
    )
    sources = {name: Source(name) for name in _SERIES}
    rules = [compile_rule(documents.parse(text, path="rules/made.yaml"), evaluators=sources) for text in texts]
    return RuleBook({rule.name: rule for rule in rules})


def _steps(stretches: Sequence[tuple[Value, int]], hours: int) -> list[Value]:
    said = [value for value, length in stretches for _ in range(length)]
    return [said[min(hour, len(said) - 1)] for hour in range(hours)]

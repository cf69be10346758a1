"""What calls are asked for by: read from an address, and written back into one. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from tocsin_alerts.durations import parse_duration
from tocsin_console.api.answering import time_of
from tocsin_console.errors import UsageProblem

TEXTS: Final = {
    "model": "model",
    "version": "model version",
    "prompt": "prompt version",
    "release": "release",
    "service": "service",
    "served_by": "served by",
    "error": "error",
    "label": "answer",
    "user": "user",
    "session": "session",
    "trace": "trace",
    "call_id": "call",
    "text": "text",
}
NUMBERS: Final = {
    "confidence_min": "confidence at least",
    "confidence_max": "confidence at most",
    "cost_min": "cost at least",
    "cost_max": "cost at most",
    "slower_ms": "slower than (ms)",
}
OUTCOMES: Final = ("right", "wrong", "none")
SORTS: Final = {
    "newest": "newest",
    "oldest": "oldest",
    "unsure": "least confident",
    "sure": "most confident",
    "dear": "most expensive",
    "slow": "slowest",
}
MOST: Final = 1_000
_INPUT: Final = "input."
_LONGEST: Final = 1_000
_DAY: Final = timedelta(days=1)
_WIDEST: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One condition in words, and the address without it."""

    name: str
    value: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What calls are asked for."""

    since: datetime | None = None  # None: a day, or ``last``, up to the last call
    until: datetime | None = None
    last: timedelta = _DAY
    texts: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    inputs: Sequence[tuple[str, str]] = ()
    outcome: str = ""
    sort: str = "newest"
    after: tuple[float, int, str] | None = None
    limit: int = 50
    said: Sequence[tuple[str, str]] = ()  # as the address had it, for the next one

    @classmethod
    def of(cls, said: Sequence[tuple[str, str]]) -> "Asked":
        """Read the parameters of an address; blank ones ask for nothing.

        Raises:
            UsageProblem: a parameter that there is not, or a value that does not fit.
        """
        known = [(name, value.strip()) for name, value in said if value.strip() or name.startswith(_INPUT)]
        by_name = dict(known)
        if long := next((name for name, value in known if len(value) > _LONGEST), ""):
            raise UsageProblem(f"expected at most {_LONGEST} characters in {long!r}")
        inputs = [(name.removeprefix(_INPUT), value) for name, value in known if name.startswith(_INPUT)]
        if "field" in by_name:
            inputs.append((by_name.pop("field"), by_name.pop("value", "")))
        asked = cls(
            since=_moment(by_name, "since"),
            until=_moment(by_name, "until"),
            last=_lasting(by_name),
            texts={name: by_name[name] for name in TEXTS if name in by_name},
            numbers={name: _number(by_name, name) for name in NUMBERS if name in by_name},
            inputs=inputs,
            outcome=_one_of(by_name, "outcome", OUTCOMES) if "outcome" in by_name else "",
            sort=_one_of(by_name, "sort", tuple(SORTS)) if "sort" in by_name else "newest",
            after=_after(by_name.get("after", "")),
            limit=_limit(by_name.get("limit", "50")),
        )
        return asked._with_said()

    def bounds(self, last_call: datetime) -> tuple[datetime, datetime]:
        """Give the time range, where the calls end there.

        Raises:
            UsageProblem: it ends before it begins, or is too wide.
        """
        until = self.until or last_call
        since = self.since or until - self.last
        if not timedelta(0) < until - since <= _WIDEST:
            raise UsageProblem(f"expected a time range of at most {_WIDEST.days} days that ends after it begins")
        return since, until

    def parameters(self) -> dict[str, Any]:
        """Give what ``calls_listed.sql`` is asked with, but for the time range."""
        place, moment, call_id = self.after or (0.0, 0, "")
        return {
            **{name: self.texts.get(name, "") for name in TEXTS},
            **{name: self.numbers.get(name, -1.0) for name in NUMBERS},
            "inputs": list(self.inputs),
            "outcome": self.outcome,
            "sort": self.sort,
            "after_place": place,
            "after_moment": moment,
            "after_id": call_id,
        }

    def address(self, path: str, **changes: str) -> str:
        """Give the address of the same question with some parameters changed; an empty one is left out."""
        kept = [(name, value) for name, value in self.said if name not in changes and name != "after"]
        return _address(path, [*kept, *((name, value) for name, value in changes.items() if value)])

    def chips(self, path: str) -> list[Chip]:
        """List the conditions, each with the address without it."""
        words = {**TEXTS, **NUMBERS, "outcome": "outcome", "since": "since", "until": "until"}
        made = []
        for at, (name, value) in enumerate(self.said):
            title = f"input {name.removeprefix(_INPUT)}" if name.startswith(_INPUT) else words.get(name, "")
            if title:
                rest = [each for place, each in enumerate(self.said) if place != at and each[0] != "after"]
                made.append(Chip(name=title, value=value, without=_address(path, rest)))
        return made

    def _with_said(self) -> "Asked":
        times = {"since": self.since, "until": self.until}
        said = [
            *((name, f"{at:%Y-%m-%dT%H:%M:%S}") for name, at in times.items() if at),
            *([("last", f"{self.last.total_seconds():.0f}s")] if self.last != _DAY and not self.since else []),
            *self.texts.items(),
            *((name, f"{value:g}") for name, value in self.numbers.items()),
            *((_INPUT + name, value) for name, value in self.inputs),
            *([("outcome", self.outcome)] if self.outcome else []),
            *([("sort", self.sort)] if self.sort != "newest" else []),
            *([("limit", str(self.limit))] if self.limit != 50 else []),
        ]
        return type(self)(**{name: getattr(self, name) for name in _FIELDS}, said=said)


_FIELDS: Final = ("since", "until", "last", "texts", "numbers", "inputs", "outcome", "sort", "after", "limit")


def cursor(call: Mapping[str, Any]) -> str:
    """Write where a list goes on: behind a row of ``calls_listed.sql``."""
    return f"{call['place']!r}~{call['moment']}~{call['call_id']}"


def _address(path: str, said: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(said)}" if said else path


def _after(said: str) -> tuple[float, int, str] | None:
    if not said:
        return None
    place, _, rest = said.partition("~")
    moment, _, call_id = rest.partition("~")
    try:
        return float(place), int(moment), call_id
    except ValueError as error:
        raise UsageProblem(f"expected 'after' as a page before gave it, got {said[:60]!r}") from error


def _moment(said: Mapping[str, str], name: str) -> datetime | None:
    return time_of(said[name], name) if name in said else None


def _lasting(said: Mapping[str, str]) -> timedelta:
    try:
        return parse_duration(said["last"]) if "last" in said else _DAY
    except ValueError as error:
        raise UsageProblem(f"last: {error}") from error


def _number(said: Mapping[str, str], name: str) -> float:
    try:
        value = float(said[name])
    except ValueError as error:
        raise UsageProblem(f"expected a number for {NUMBERS[name]}, got {said[name][:60]!r}") from error
    if not 0 <= value < 1e15:
        raise UsageProblem(f"expected a number of 0 or more for {NUMBERS[name]}, got {said[name][:60]!r}")
    return value


def _one_of(said: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    if said[name] not in known:
        raise UsageProblem(f"expected {name} as {', '.join(known)}, got {said[name][:60]!r}")
    return said[name]


def _limit(said: str) -> int:
    if not said.isdecimal() or not 1 <= int(said) <= MOST:
        raise UsageProblem(f"expected a limit of 1 to {MOST}, got {said[:60]!r}")
    return int(said)

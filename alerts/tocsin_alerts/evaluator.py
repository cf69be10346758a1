"""Evaluators: one ``.sql`` file each, with a typed header, run as a range query over slots."""

import difflib
import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Protocol

from tocsin_alerts.durations import parse_duration
from tocsin_alerts.errors import EvaluatorError
from tocsin_alerts.ports import Query
from tocsin_alerts.records import Sample

REQUIRED: Final = ("project", "use_case", "slot", "value", "n")
OPTIONAL: Final = ("lower", "upper", "baseline", "effect")
RANGE: Final = ("since", "until", "step_s")

_HEADER: Final = re.compile(r"\A\s*/\*(.*?)\*/", re.DOTALL)
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\s*:\s*([^{}]+)\}")
_COMMENT: Final = re.compile(r"^\s*--[^\n]*\n", re.MULTILINE)
_KEYS: Final = ("summary", "unit", "params", "columns", "window", "lag", "outcomes", "clock")
_WALL: Final = "wall"
_LABEL_DELAY: Final = "label delay"
OUTCOMES: Final = ("ground_truth", "review", "feedback", "judge", "support")  # their kinds
_TOML_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")


class Runnable(Protocol):
    """SQL that answers with one row per slot and labels."""

    @property
    def sql(self) -> str:
        """The SELECT."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """One shipped or user-written ``.sql`` file."""

    name: str  # the file's, without .sql
    summary: str
    unit: str
    params: Mapping[str, str]  # placeholder to ClickHouse type
    columns: Mapping[str, str]  # as DESCRIBE says
    sql: str  # the SELECT, without header and comments
    hash: str  # of the whole file
    window: timedelta | None = None  # how far back a slot looks; None: to the slot before
    lags_labels: bool = False  # the window ends the plan's label delay before the slot
    outcomes: frozenset[str] = frozenset()  # kinds: it has no row where there is none of any of them; empty: it may
    is_of_now: bool = (
        False  # it speaks of tocsin itself, at the time of day, whatever is loaded: its newest slot alone is asked for
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns that tell series apart, beyond project and use case."""
        return tuple(column for column in self.columns if column not in REQUIRED + OPTIONAL)


def load_evaluators(*folders: Path) -> Mapping[str, Evaluator]:
    """Read the shipped evaluators, then those of each folder: a later one replaces an earlier of its name.

    Raises:
        EvaluatorError: a header cannot be read or does not fit its SQL; names the file and line.
    """
    sources: list[Traversable] = [resources.files("tocsin_alerts").joinpath("evaluators"), *folders]
    files = [file for folder in sources if folder.is_dir() for file in folder.iterdir() if file.name.endswith(".sql")]
    evaluators = [parse(file.read_text(encoding="utf-8"), path=str(file)) for file in files]
    return {evaluator.name: evaluator for evaluator in evaluators}


def parse(text: str, *, path: str) -> Evaluator:
    """Read one file's text.

    Raises:
        EvaluatorError: as :func:`load_evaluators`.
    """
    found = _HEADER.match(text)
    if not found:
        raise EvaluatorError(f"{path}:1: expected a header /* … */ of TOML before the SQL, with {', '.join(_KEYS)}")
    try:
        header = tomllib.loads(found[1])
    except tomllib.TOMLDecodeError as error:
        at = _TOML_LINE.search(str(error))
        line = int(at[1]) if at else found[1].count("\n") + 1
        raise EvaluatorError(f"{path}:{line}: the header is not TOML: {error}") from error
    for key in header:
        if key not in _KEYS:
            raise EvaluatorError(f"{path}:{_line(text, key)}: {_unknown(key, 'header key', _KEYS)}")
    summary, unit = (_text(header, key, path) for key in ("summary", "unit"))
    params, columns = (_types(header, key, path, text) for key in ("params", "columns"))
    sql = _COMMENT.sub("", text[found.end() :].lstrip("\n") + "\n").strip().rstrip(";")
    _check_params(text, sql, params, path)
    for column in REQUIRED:
        if column not in columns:
            raise EvaluatorError(
                f"{path}:{_line(text, 'columns')}: expected the columns {', '.join(REQUIRED)}, got no {column!r}"
                f"{_nearest(column, columns)}"
            )
    return Evaluator(
        name=Path(path).stem,
        summary=summary,
        unit=unit,
        params=params,
        columns=columns,
        sql=sql,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        window=_window(header, path, text),
        lags_labels=_lag(header, path, text),
        outcomes=_outcomes(header, path, text),
        is_of_now=_clock(header, path, text),
    )


def evaluate(
    query: Query,
    evaluator: Runnable,
    *,
    since: datetime,
    until: datetime,
    step_s: int,
    extra: Mapping[str, Any] | None = None,
    only: tuple[str, str] | None = None,
) -> list[Sample]:
    """Measure every use case at every slot of a grid, in one query.

    Args:
        query: The store.
        evaluator: Whose SQL to run.
        since: Slots lie after it.
        until: Slots lie at or before it.
        step_s: Slots are the multiples of this since 1970, UTC; each is the end of its window.
        extra: Values of placeholders beyond ``since``, ``until`` and ``step_s``.
        only: One (project, use case); None: all of them.
    """
    parameters: dict[str, Any] = {"since": since, "until": until, "step_s": step_s, **(extra or {})}
    sql = evaluator.sql
    if only is not None:
        sql = (
            f"SELECT * FROM (\n{sql}\n) WHERE project = {{only_project:String}} AND use_case = {{only_use_case:String}}"
        )
        parameters |= {"only_project": only[0], "only_use_case": only[1]}
    return [_sample(row) for row in query.rows(sql, parameters)]


def _sample(row: Mapping[str, Any]) -> Sample:
    slot = row["slot"]
    return Sample(
        project=row["project"],
        use_case=row["use_case"],
        labels={name: str(value) for name, value in row.items() if name not in REQUIRED and name not in OPTIONAL},
        slot=slot if slot.tzinfo else slot.replace(tzinfo=UTC),
        value=_number(row["value"]),
        lower=_number(row.get("lower")),
        upper=_number(row.get("upper")),
        baseline=_number(row.get("baseline")),
        n=int(row["n"]),
        effect=_number(row.get("effect")),
    )


def _number(value: Any) -> float | None:
    """Read NULL and NaN as "not enough evidence": neither compares with a threshold."""
    number = None if value is None else float(value)
    return None if number is None or number != number else number  # noqa: PLR0124 - NaN alone differs from itself


def _text(header: Mapping[str, Any], key: str, path: str) -> str:
    value = header.get(key)
    if not isinstance(value, str) or not value:
        raise EvaluatorError(f'{path}:1: expected {key} = "…" in the header, got {value!r}')
    return value


def _types(header: Mapping[str, Any], key: str, path: str, text: str) -> Mapping[str, str]:
    table = header.get(key)
    if not isinstance(table, dict) or not all(isinstance(kind, str) for kind in table.values()):
        raise EvaluatorError(
            f"{path}:{_line(text, key)}: expected {key} to give each name a ClickHouse type, got {table!r}"
        )
    return table


def _window(header: Mapping[str, Any], path: str, text: str) -> timedelta | None:
    try:
        return parse_duration(header["window"]) if "window" in header else None
    except ValueError as error:
        raise EvaluatorError(f"{path}:{_line(text, 'window')}: window: {error}") from error


def _lag(header: Mapping[str, Any], path: str, text: str) -> bool:
    said = header.get("lag")
    if said not in (None, _LABEL_DELAY):
        raise EvaluatorError(f'{path}:{_line(text, "lag")}: expected lag = "{_LABEL_DELAY}" or none, got {said!r}')
    return said is not None


def _clock(header: Mapping[str, Any], path: str, text: str) -> bool:
    said = header.get("clock")
    if said not in (None, _WALL):
        raise EvaluatorError(f'{path}:{_line(text, "clock")}: expected clock = "{_WALL}" or none, got {said!r}')
    return said is not None


def _outcomes(header: Mapping[str, Any], path: str, text: str) -> frozenset[str]:
    said = header.get("outcomes", [])
    if not isinstance(said, list):
        raise EvaluatorError(f'{path}:{_line(text, "outcomes")}: expected outcomes = ["review", …], got {said!r}')
    for kind in said:
        if kind not in OUTCOMES:
            raise EvaluatorError(
                f"{path}:{_line(text, 'outcomes')}: {_unknown(str(kind), 'kind of outcome', OUTCOMES)}"
            )
    return frozenset(said)


def _check_params(text: str, sql: str, params: Mapping[str, str], path: str) -> None:
    used = {name: kind.strip() for name, kind in _PLACEHOLDER.findall(sql)}
    for name, kind in used.items():
        if name not in params:
            raise EvaluatorError(f"{path}:{_line(text, '{' + name, last=True)}: {_unknown(name, 'parameter', params)}")
        if params[name] != kind:
            raise EvaluatorError(
                f"{path}:{_line(text, '{' + name, last=True)}: expected {{{name}:{params[name]}}} as in the header, got {{{name}:{kind}}}"
            )
    for name in params:
        if name not in used:
            raise EvaluatorError(
                f"{path}:{_line(text, name)}: the header's parameter {name!r} is not used in the SQL{_nearest(name, used)}"
            )


def _unknown(name: str, what: str, known: Iterable[str]) -> str:
    return f"unknown {what} {name!r}: expected one of {', '.join(known)}{_nearest(name, known)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _line(text: str, needle: str, *, last: bool = False) -> int:
    at = text.rfind(needle) if last else text.find(needle)
    return text.count("\n", 0, at) + 1 if at >= 0 else 1

"""Guard rows and the plans' terms as a flagd flag configuration. Source: flagd, "Flag Definitions" and its JSON schema."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from tocsin_alerts.guard_bars import VersionBar, floor_of
from tocsin_alerts.plan import Plans
from tocsin_alerts.records import GuardMode, GuardRow, GuardState
from tocsin_wire.attributes import GUARD_FLAG_PREFIX, GUARD_STATES

_VARIANTS: Final = {state: state for state in GUARD_STATES}
_PROBE_SHARE: Final = 0.05
_DEFAULT_PROJECT: Final = "default"
_MOST_VERSIONS: Final = 20  # of one use case, the metadata of a flag is no table


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan lets the guard do, and how sure a model must be; a service that reads it needs no plan."""

    project: str
    use_case: str
    mode: GuardMode
    fail_mode: GuardState
    probe_share: float
    floor: float | None
    bars: tuple[VersionBar, ...]


def terms_of(plans: Plans, bars: Sequence[VersionBar]) -> list[Terms]:
    """Join each declared plan with the bars of its versions."""
    return [
        Terms(
            project=plan.project,
            use_case=plan.use_case,
            mode=plan.guard.mode,
            fail_mode=plan.guard.fail_mode,
            probe_share=plan.guard.probe_share,
            floor=floor_of(plan),
            bars=tuple(bar for bar in bars if (bar.project, bar.use_case) == (plan.project, plan.use_case)),
        )
        for plan in plans
    ]


def flag_configuration(
    rows: Iterable[GuardRow],
    evaluated_through: Mapping[str, str],
    *,
    terms: Iterable[Terms] = (),
    project: str | None = None,
) -> str:
    """Write the JSON that flagd's providers and the SDK read: one flag a use case, its state the default variant.

    Args:
        rows: The row in force of each use case. A use case without one is at normal.
        evaluated_through: Per use case, the ISO time to which its evaluators have judged.
        terms: Of each use case with a plan; without one the guard is in shadow and has no bar.
        project: Only its use cases; None: of all, and where two share a name, the default project's.
    """
    chosen = _one_each(rows, project)
    agreed = _one_each(terms, project)
    flags = {
        GUARD_FLAG_PREFIX + use_case: _flag(
            chosen.get(use_case), agreed.get(use_case), use_case, evaluated_through.get(use_case)
        )
        for use_case in sorted(chosen.keys() | agreed.keys() | evaluated_through.keys())
    }
    metadata = {"evaluated_through": min(evaluated_through.values())} if evaluated_through else {}
    return json.dumps({"flags": flags, "metadata": metadata}, separators=(",", ":"), ensure_ascii=False)


_Each = TypeVar("_Each", GuardRow, Terms)


def _one_each(each: Iterable[_Each], project: str | None) -> dict[str, _Each]:
    chosen: dict[str, _Each] = {}
    for one in each:
        known = chosen.get(one.use_case)
        if (project is None or one.project == project) and (known is None or one.project == _DEFAULT_PROJECT):
            chosen[one.use_case] = one
    return chosen


def _flag(row: GuardRow | None, terms: Terms | None, use_case: str, evaluated_through: str | None) -> dict[str, Any]:
    of_either = row or terms
    metadata: dict[str, str | float | None] = {
        "project": of_either.project if of_either else _DEFAULT_PROJECT,
        "use_case": use_case,
        "version": row.version if row else 0,
        "cause": row.cause if row else "",
        "since": _iso(row.since) if row else None,
        "probe_share": of_either.probe_share if of_either else _PROBE_SHARE,
        "hold_until": _iso(row.hold_until) if row else None,
        "expires_at": _iso(row.expires_at) if row else None,
        "evaluated_through": evaluated_through,
        "mode": terms.mode if terms else "shadow",
        "fail_mode": terms.fail_mode if terms else "normal",
        "floor": terms.floor if terms else None,
        "bars": json.dumps([_bar(bar) for bar in terms.bars[:_MOST_VERSIONS]]) if terms and terms.bars else None,
    }
    return {
        "state": "ENABLED",
        "variants": _VARIANTS,
        "defaultVariant": row.state if row else "normal",
        # The schema allows texts, numbers and booleans: what is not known is left out, and bars are JSON in a text.
        "metadata": {key: value for key, value in metadata.items() if value is not None},
    }


def _bar(of: VersionBar) -> dict[str, Any]:
    known = {
        "model_version": of.model_version,
        "prompt_version": of.prompt_version,
        "bar": of.bar.bar,
        "low_bar": of.bar.low_bar,
        "labels": of.bar.labels,
    }
    return {key: value for key, value in known.items() if value not in (None, "")}


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()

"""What the guard's server says, read: flagd's flag configuration into one state per use case. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from tocsin_wire import attributes as keys

NORMAL: Final = "normal"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How sure one version must be."""

    model_version: str = ""
    prompt_version: str = ""
    bar: float | None = None  # at or above it: answer; None: no bar yet
    low_bar: float | None = None  # below it: fall back


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the plan lets the guard do."""

    is_automatic: bool = False  # else in shadow
    fail_mode: str = NORMAL  # at least this careful while the server is unreachable
    floor: float | None = None  # share of right answers that the plan asks for
    bars: tuple[Bar, ...] = ()  # of every version that answers now


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagState:
    """The guard of one use case, as last heard."""

    state: str = NORMAL  # one of GUARD_STATES
    metadata: Mapping[str, Any] = field(
        default_factory=lambda: _NOTHING
    )  # project, version, cause, since, probe_share, …
    terms: Terms = Terms()
    reason: str = "default"  # one of FLAG_REASONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """All guards at one moment."""

    states: Mapping[str, FlagState] = field(default_factory=dict)  # by use case
    metadata: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)  # evaluated_through, …
    evaluated_through: datetime | None = None  # aware UTC; None when the server has not said


def read_flags(configuration: str) -> Flags:
    """Read a flag configuration; flags that are not guards, or are damaged, are left out.

    Raises:
        ValueError: it is no JSON object.

    Source:
        flagd flag definitions (https://flagd.dev/reference/flag-definitions/).
    """
    document = json.loads(configuration)
    if not isinstance(document, dict):
        raise ValueError(f"expected a flag configuration object, got {type(document).__name__}")  # noqa: TRY004
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    states = {}
    flags = document.get("flags")
    for key, flag in flags.items() if isinstance(flags, dict) else ():
        if key.startswith(keys.GUARD_FLAG_PREFIX) and isinstance(flag, dict):
            states[key.removeprefix(keys.GUARD_FLAG_PREFIX)] = _state(flag, metadata)
    return Flags(
        states=states,
        metadata=MappingProxyType(metadata),
        evaluated_through=_when(metadata.get("evaluated_through")),
    )


def more_careful(one: str, other: str) -> str:
    """Give the state that trusts the model less."""
    return max(one, other, key=keys.GUARD_STATES.index)


def known_state(written: Any) -> str | None:
    """Read a guard state; None for what is none."""
    return written if isinstance(written, str) and written in keys.GUARD_STATES else None


def _state(flag: Mapping[str, Any], shared: Mapping[str, Any]) -> FlagState:
    enabled = flag.get("state", "ENABLED") == "ENABLED"
    variant = flag.get("defaultVariant")
    variants = flag.get("variants")
    value = variants.get(variant) if isinstance(variants, dict) and isinstance(variant, str) else None
    own = flag.get("metadata")
    own = own if isinstance(own, dict) else {}
    return FlagState(
        state=(known_state(value) if enabled else None) or NORMAL,
        metadata=MappingProxyType({**shared, **own}),
        terms=Terms(
            is_automatic=own.get("mode") == "automatic",
            fail_mode=known_state(own.get("fail_mode")) or NORMAL,
            floor=_share(own.get("floor")),
            bars=_bars(own.get("bars")),
        ),
        reason="static",
    )


def _bars(written: Any) -> tuple[Bar, ...]:
    if not isinstance(written, str):
        return ()
    try:
        found = json.loads(written)
    except ValueError:
        return ()
    return tuple(
        Bar(
            model_version=str(bar.get("model_version", "")),
            prompt_version=str(bar.get("prompt_version", "")),
            bar=_share(bar.get("bar")),
            low_bar=_share(bar.get("low_bar")),
        )
        for bar in (found if isinstance(found, list) else ())
        if isinstance(bar, dict)
    )


def _share(written: Any) -> float | None:
    known = isinstance(written, (int, float)) and 0 <= written <= 1
    return float(written) if known else None


def _when(written: Any) -> datetime | None:
    if not isinstance(written, str):
        return None
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)

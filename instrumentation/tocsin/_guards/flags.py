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
class FlagState:
    """The guard of one use case, as last heard."""

    state: str = NORMAL  # one of GUARD_STATES
    metadata: Mapping[str, Any] = field(
        default_factory=lambda: _NOTHING
    )  # project, version, cause, since, probe_share, …


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


def _state(flag: Mapping[str, Any], shared: Mapping[str, Any]) -> FlagState:
    enabled = flag.get("state", "ENABLED") == "ENABLED"
    variant = flag.get("defaultVariant")
    variants = flag.get("variants")
    value = variants.get(variant) if isinstance(variants, dict) and isinstance(variant, str) else None
    state = value if enabled and isinstance(value, str) and value in keys.GUARD_STATES else NORMAL
    own = flag.get("metadata")
    return FlagState(state=state, metadata=MappingProxyType({**shared, **(own if isinstance(own, dict) else {})}))


def _when(written: Any) -> datetime | None:
    if not isinstance(written, str):
        return None
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)

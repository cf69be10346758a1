"""Guard rows as a flagd flag configuration. Source: flagd, "Flag Definitions" and its JSON schema."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from tocsin_alerts.records import GuardRow
from tocsin_wire.attributes import GUARD_FLAG_PREFIX, GUARD_STATES

_VARIANTS: Final = {state: state for state in GUARD_STATES}
_PROBE_SHARE: Final = 0.05
_DEFAULT_PROJECT: Final = "default"


def flag_configuration(
    rows: Iterable[GuardRow], evaluated_through: Mapping[str, str], *, project: str | None = None
) -> str:
    """Write the JSON that flagd's providers and the SDK read: one flag a use case, its state the default variant.

    Args:
        rows: The row in force of each use case. A use case without one is at normal.
        evaluated_through: Per use case, the ISO time to which its evaluators have judged.
        project: Only its use cases; None: of all, and where two share a name, the default project's.
    """
    chosen: dict[str, GuardRow] = {}
    for row in rows:
        known = chosen.get(row.use_case)
        if (project is None or row.project == project) and (known is None or row.project == _DEFAULT_PROJECT):
            chosen[row.use_case] = row
    flags = {
        GUARD_FLAG_PREFIX + use_case: _flag(chosen.get(use_case), use_case, evaluated_through.get(use_case))
        for use_case in sorted(chosen.keys() | evaluated_through.keys())
    }
    metadata = {"evaluated_through": min(evaluated_through.values())} if evaluated_through else {}
    return json.dumps({"flags": flags, "metadata": metadata}, separators=(",", ":"), ensure_ascii=False)


def _flag(row: GuardRow | None, use_case: str, evaluated_through: str | None) -> dict[str, Any]:
    metadata: dict[str, str | float | None] = {
        "project": row.project if row else _DEFAULT_PROJECT,
        "use_case": use_case,
        "version": row.version if row else 0,
        "cause": row.cause if row else "",
        "since": _iso(row.since) if row else None,
        "probe_share": row.probe_share if row else _PROBE_SHARE,
        "hold_until": _iso(row.hold_until) if row else None,
        "expires_at": _iso(row.expires_at) if row else None,
        "evaluated_through": evaluated_through,
    }
    return {
        "state": "ENABLED",
        "variants": _VARIANTS,
        "defaultVariant": row.state if row else "normal",
        # The schema allows texts, numbers and booleans: what is not known is left out.
        "metadata": {key: value for key, value in metadata.items() if value is not None},
    }


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()

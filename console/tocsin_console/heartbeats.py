"""What every evaluator did last. One that ran and saw nothing is not one that did not run. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

from tocsin_alerts.itself import SELF

Beat: TypeAlias = Literal["spoke", "saw nothing", "not asked", "failed"]
BEATS: Final[tuple[Beat, ...]] = ("spoke", "saw nothing", "not asked", "failed")


def heartbeats(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Say of the last run of each rule what it was."""
    return [
        {
            "rule": row["rule"],
            "slot": row["last_slot"],
            "at": row["last_at"],
            "did": did(row),
            "samples": int(row["last_samples"]),
            "rows_read": None if row["last_read"] is None else int(row["last_read"]),
        }
        for row in rows
    ]


def of_itself(alerts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pick the alerts of tocsin itself out of those that are active."""
    kept = ("rule", "labels", "severity", "state", "since", "value", "reason", "incident")
    return [{name: each[name] for name in kept} for each in alerts if each["use_case"] == SELF]


def in_words(beats: Iterable[Mapping[str, Any]]) -> str:
    """Write them as one line."""
    listed = list(beats)
    if not listed:
        return "nothing has been evaluated in the last two days"
    counts = ", ".join(f"{sum(each['did'] == did for each in listed)} {did}" for did in BEATS)
    read = sum(each["rows_read"] or 0 for each in listed)
    newest = max(listed, key=lambda each: str(each["at"]))
    return f"{len(listed)} evaluators, in their last runs: {counts}; {read:,} rows read; the last at {str(newest['at'])[:19]}"


def did(row: Mapping[str, Any]) -> Beat:
    """Say in a word what came of a rule's last run: ``last_state``, ``was_asked`` and ``last_samples``."""
    if row["last_state"] == "failed":
        return "failed"
    if not row["was_asked"]:
        return "not asked"
    return "spoke" if row["last_samples"] else "saw nothing"

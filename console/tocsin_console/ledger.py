"""The loss ledger: every item received is stored, a duplicate, refused, set aside, damaged or waiting, kind by kind."""

from collections.abc import Mapping
from typing import Any, Final

KINDS: Final = {"traces": "spans", "outcomes": "outcomes", "logs": "logs"}  # kind to what its items are called


def ledger(stored: Mapping[str, Any], collector: Mapping[str, Any]) -> dict[str, Any]:
    """Set what was received since the start, and what was ever loaded, against what became of it.

    Balanced means, for each kind: everything received has met one fate; and the tables hold what the load ledger says.
    The latter cannot be said once the oldest rows have expired, nor of outcomes, which replace one another.
    """
    kinds = {items: _kind(items, stored, collector) for items in KINDS.values()}
    spans = kinds["spans"]
    lost = [each["difference"] for each in kinds.values() if each["difference"]]
    return {
        "since_start": spans["since_start"],
        "spans_loaded": spans["loaded"],
        "spans_stored": spans["stored"],
        "spans_erased": spans["erased"],
        "calls_stored": int(stored["calls_stored"]),
        "outcomes_loaded": kinds["outcomes"]["loaded"],
        "outcomes_stored": kinds["outcomes"]["stored"],
        "outcomes_without_call": int(
            stored.get("outcomes_without_call") or 0
        ),  # they name a call that is not known yet
        "requests_set_aside": int(stored["requests_set_aside"]),
        "spool_bytes": int(collector["spool_bytes"]),
        "difference": spans["difference"],
        "unaccounted": sum(each["unaccounted"] for each in kinds.values()),
        "kinds": kinds,
        "balances": not lost and not any(each["unaccounted"] for each in kinds.values()),
    }


def _kind(items: str, stored: Mapping[str, Any], collector: Mapping[str, Any]) -> dict[str, Any]:
    fates = [name.removesuffix(f"_{items}") for name in collector if name.endswith(f"_{items}")]
    since_start = {fate: int(collector[f"{fate}_{items}"]) for fate in fates}
    received, waiting = since_start.get("received", 0), since_start.get("waiting", 0)
    unaccounted = received - sum(n for fate, n in since_start.items() if fate != "received") or min(0, waiting)
    loaded, in_table = int(stored.get(f"{items}_by_ledger") or 0), int(stored.get(f"{items}_stored") or 0)
    erased = int(stored.get(f"{items}_erased") or 0)  # for a person, or to make room
    return {
        "since_start": since_start,
        "unaccounted": unaccounted,
        "loaded": loaded,
        "stored": in_table,
        "erased": erased,
        "difference": _difference(items, stored, loaded - in_table - erased),
    }


def _difference(items: str, stored: Mapping[str, Any], lost: int) -> int | None:
    """Say how many are missing (negative: too many); None where nobody can."""
    if stored.get(f"{items}_may_have_expired") or items == "outcomes":
        return None
    under_way = int(stored.get(f"{items}_begun") or 0)  # perhaps in the table already, not yet in the ledger
    return 0 if -under_way <= lost < 0 else lost

"""What the tables hold, against what was sent: every span once, in every table that counts it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tocsin_collector.store.database import Database


def held(database: Database) -> dict[str, Any]:
    """Read what the tables hold of requests made by _load.prepared: spans by serial number, and the sums of rollups."""
    found = database.rows(
        "SELECT reinterpretAsUInt32(reverse(unhex(substring(SpanId, 9, 8)))) AS serial, count() AS spans,"
        " uniqExact(SpanId) AS different FROM otel_traces GROUP BY serial ORDER BY serial"
    )
    [sums] = database.rows(
        "SELECT (SELECT sum(sign) FROM ai_calls) AS calls, (SELECT uniqExact(call_id) FROM ai_calls) AS different_calls,"
        " (SELECT sum(calls) FROM ai_calls_1h WHERE segment_name = '') AS summed,"
        " (SELECT sum(n) FROM input_histogram_1h WHERE kind = 'output' AND segment_name = '') AS binned,"
        " (SELECT sum(spans) FROM load_ledger FINAL WHERE kind = 'traces' AND state = 'loaded') AS ledger,"
        " (SELECT count() FROM dead_letters) AS dead_letters"
    )
    return {
        "serials": [int(row["serial"]) for row in found],
        "spans": [int(row["spans"]) for row in found],
        "different": [int(row["different"]) for row in found],
        **{name: int(value) for name, value in sums.items()},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What of it is wrong."""

    rows: int
    missing: int  # spans
    duplicates: int  # rows too many, and sums that are off
    ledger_off: int  # spans by which the ledger says other than the tables


def prove(found: Mapping[str, Any], acked: Collection[int], *, batch: int) -> Proof:
    """Compare: every acknowledged request's spans are stored once; of others, whole or not at all.

    Args:
        found: From :func:`held`.
        acked: Serial numbers of acknowledged requests, all of whose spans are AI calls.
        batch: Spans a request.
    """
    different = dict(zip(found["serials"], found["different"], strict=True))
    spans = dict(zip(found["serials"], found["spans"], strict=True))
    rows, unique = sum(spans.values()), sum(different.values())
    torn = sum(batch - count for serial, count in different.items() if serial not in acked and count != batch)
    return Proof(
        rows=rows,
        missing=sum(batch - different.get(serial, 0) for serial in acked) + torn,
        duplicates=rows
        - unique
        + sum(abs(unique - found[name]) for name in ("calls", "different_calls", "summed", "binned")),
        ledger_off=abs(rows - found["ledger"]),
    )


def unbalanced(stats: Mapping[str, Any]) -> int:
    """Say by how many spans the books do not balance now that nothing waits: they would, less than nothing waits."""
    fates = ("stored", "duplicate", "refused", "dead_lettered", "damaged")
    sides = Counter({"requests": 0, "spans": 0})
    for side in sides:
        sides[side] = stats[f"received_{side}"] - sum(stats[f"{fate}_{side}"] for fate in fates)
    return sum(map(abs, sides.values()))

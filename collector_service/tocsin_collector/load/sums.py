"""What sums lack of a segment: they have no column that names one, so it is told by what they must come to.

A partition has all of a segment's part or nothing: that is what an insert that is cut short leaves. So it may be of the
segments in doubt beside it, of each of which the sums then have a part or not. What is summed is weighed by its key, so that
parts of different rows differ.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.store.database import Database

_WEIGHTS: Final = 1_000_003
_MOST_WAYS: Final = 4096  # in which a partition may lack parts of others: of a dozen segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """A table of sums, all names quoted."""

    table: str
    copy: str  # with the segment's part alone
    source: str  # the table whose rows are summed
    measure: str
    key: Sequence[str]
    over: Callable[[str], str]  # writes its view's SELECT so that it reads these rows


def partitions_lacking(database: Database, summed: Summed, beside: Collection[str]) -> list[str]:
    """Name the partitions whose sums lack the segment's part.

    Args:
        database: Where they are.
        summed: The sums.
        beside: The hashes of other segments in doubt.

    Raises:
        StoreUnavailable: another segment, of which nobody here knows, is between the rows and their sums now.
    """
    key = ", ".join(f"toString({name})" for name in summed.key)
    weighed = f"sum({summed.measure} * toInt64(cityHash64({key}) % {_WEIGHTS}))"
    own = summed.copy
    hours = f"SELECT DISTINCT project, use_case, hour FROM {own}"
    first, last = (f"(SELECT {end}(hour) FROM {own})" for end in ("min", "max"))
    rows = (
        f"(SELECT * FROM {summed.source} WHERE (project, use_case) IN (SELECT project, use_case FROM {own})"
        f" AND started_at >= {first} AND started_at < {last} + INTERVAL 1 HOUR{{}})"
    )

    def by_hour(source: str, **parameters: str) -> dict[Any, int]:
        asked = f"SELECT hour, {weighed} AS n FROM {source} WHERE (project, use_case, hour) IN ({hours}) GROUP BY hour"
        return {row["hour"]: int(row["n"]) for row in database.rows(asked, parameters)}

    must, held = by_hour(f"({summed.over(rows.format(''))})"), by_hour(summed.table)
    parts: dict[str, int] = {}
    within: dict[Any, str] = {}
    for row in database.rows(f"SELECT hour, _partition_id AS id, {weighed} AS n FROM {own} GROUP BY ALL"):
        parts[row["id"]] = parts.get(row["id"], 0) + int(row["n"])
        within[row["hour"]] = row["id"]
    lacking = dict.fromkeys(parts, 0)
    for hour, partition in within.items():
        lacking[partition] += must.get(hour, 0) - held.get(hour, 0)
    others = {name: {0} for name in parts}  # what the sums may lack of them
    if any(lacking[name] not in {0, part} for name, part in parts.items()):
        of_one = f"({summed.over(rows.format(' AND segment = {other:String}'))})"
        for other in beside:
            theirs = dict.fromkeys(parts, 0)
            for hour, n in by_hour(of_one, other=other).items():
                theirs[within[hour]] += n
            for name in (name for name, n in theirs.items() if n and len(others[name]) <= _MOST_WAYS):
                others[name] |= {theirs[name] + less for less in others[name]}
    return sorted(
        name
        for name, part in parts.items()
        if _lacks_part(lacking=lacking[name], part=part, others=others[name], table=summed.table)
    )


def _lacks_part(*, lacking: int, part: int, others: Collection[int], table: str) -> bool:
    """Say whether a segment's part is among what a partition's sums lack, where of others they may lack one of these.

    Raises:
        StoreUnavailable: neither, or either, explains it.
    """
    if not lacking:
        return False
    without, within = lacking in others, lacking - part in others
    if without == within:
        raise StoreUnavailable(
            f"a segment's part in {table} cannot be told while others are loaded into the same hours "
            f"({lacking} lacking, {part} of it this segment's, as weighed): asked again soon"
        )
    return within

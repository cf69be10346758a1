"""Draws the week's sample from the store, at once or day by day: the same one, however often it is asked for."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Protocol

from tocsin_console.errors import UsageProblem
from tocsin_console.review.sampling import SURE, UNSURE, Cell, Inclusion, inclusions
from tocsin_console.statements import statement

SIZE: Final = 20
PICKED: Final = "picked"  # stratum of a call that a person chose: no chance led to it, so no estimate counts it
FRAME: Final = timedelta(days=7)
_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
OPEN: Final[Mapping[str, Any]] = {
    "state": "open",
    "locked_by": "",
    "locked_until": _EPOCH,
    "reviewer": "",
    "score": None,
    "correct": None,
    "minutes": None,
}


class Store(Protocol):
    """The store as this package uses it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Insert rows that share their keys."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Calls that were drawn, and from how many."""

    calls: int  # that the model answered in the frame
    drawable: int  # of them: all, or those whose content was kept for review
    items: Sequence[Mapping[str, Any]]  # call_id, started_at, stratum, selection_probability


def week_of(now: datetime) -> date:
    """Give the Monday of a moment's week."""
    day = now.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def sample(
    store: Store, *, project: str, use_case: str, since: datetime, until: datetime, size: int, seed: str
) -> Drawn:
    """Draw calls with known probabilities, in an order by chance.

    Where content was kept of enough of the calls that instrumentations picked for review, it is drawn from those, so that
    there is something to read: they are picked by a hash, so each stands for the others in equal parts.

    Args:
        store: Where the calls are.
        project: Theirs.
        use_case: Theirs.
        since: First hour.
        until: End of the last hour.
        size: How many; all, when there are fewer.
        seed: The same gives the same calls.
    """
    frame = {"project": project, "use_case": use_case, "since": since, "until": until}
    [seen] = store.rows(statement("review_frame"), {**frame, "sure": SURE, "unsure": UNSURE})
    of_kept = seen["kept_calls"] >= size
    moved = [(row["segment_name"], row["segment_value"]) for row in store.rows(statement("review_segments"), frame)]
    cuts = {"low": float(seen["low"] or 0), "high": float(seen["high"] or 0)} if seen["confident_calls"] else _NO_CUTS
    how = {**frame, **cuts, "moved": moved, "of_kept": int(of_kept)}
    counts = {
        Cell(bool(row["confident"]), bool(row["unsure"]), bool(row["in_moved"])): int(row["calls"])
        for row in store.rows(statement("review_cells"), how)
    }
    chances = inclusions(counts, size=size)
    drawable = sum(counts.values())
    rows = store.rows(
        statement("review_draw"),
        {**how, "chances": _by_number(chances), "seed": seed, "size": min(size, drawable)},
    )
    kept_share = drawable / max(1, int(seen["calls"])) if of_kept else 1.0
    items = [
        {
            "call_id": row["call_id"],
            "started_at": row["started_at"],
            "stratum": Cell(bool(row["confident"]), bool(row["unsure"]), bool(row["in_moved"])).stratum,
            "selection_probability": row["chance"] * kept_share / (row["row_weight"] if row["row_weight"] > 0 else 1.0),
        }
        for row in rows
    ]
    items.sort(key=lambda item: hashlib.sha256(f"{seed}\0{item['call_id']}".encode()).digest())
    return Drawn(calls=int(seen["calls"]), drawable=drawable, items=items)


_NO_CUTS: Final = {"low": -1.0, "high": 2.0}  # no confidence is beyond these


def share_of(size: int, since: datetime, until: datetime) -> int:
    """Say how many of a week's calls fall on a part of it, at least one; parts that follow each other sum to the whole."""
    begun, ended = (size * (at - _EPOCH) // FRAME for at in (since, until))
    return max(1, ended - begun)


def draw(
    store: Store, *, project: str, use_case: str, size: int, by: str, now: datetime, daily: bool = False
) -> dict[str, Any] | None:
    """Give the draw of a use case that stands, drawing it when nobody has; None when there is nothing to draw from.

    Args:
        store: Where the calls are.
        project: Theirs.
        use_case: Theirs.
        size: Calls for a week.
        by: Who asks.
        now: The time.
        daily: Draw each day, of the calls since the draw before (at most a week), the part of the week's calls that falls on
            them; else once a week, of the last seven days.

    Raises:
        UsageProblem: the size is none.
    """
    if not 1 <= size <= 1_000:
        raise UsageProblem(f"expected a sample of 1 to 1,000 calls, got {size}")
    week = now.astimezone(UTC).date() if daily else week_of(now)
    until = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + _HOUR  # of the present hour, what is here
    since = until - FRAME
    for held in store.rows(statement("review_latest"), {"project": project, "use_case": use_case}):
        if held["week"] >= week:
            return held
        if daily:
            since = max(since, held["until"].astimezone(UTC))
    seed = f"review\0{project}\0{use_case}\0{week}"
    wanted = share_of(size, since, until)
    drawn = sample(store, project=project, use_case=use_case, since=since, until=until, size=wanted, seed=seed)
    if not drawn.items:
        return None
    named = uuid.uuid4().hex
    common = {"project": project, "use_case": use_case, "week": week, "draw": named}
    store.insert(  # items first: a draw that is on the books is whole
        "review_items",
        [
            {**common, **item, "position": place, **OPEN, "version": 0, "at": now}
            for place, item in enumerate(drawn.items, 1)
        ],
    )
    made = {
        **common,
        "since": since,
        "until": until,
        "calls": drawn.calls,
        "drawable": drawn.drawable,
        "size": len(drawn.items),
        "drawn_by": by,
        "drawn_at": now,
    }
    store.insert("reviews", [made])
    return made


def _by_number(chances: Sequence[Inclusion]) -> list[float]:
    """Lay the chances out as the statement numbers the cells; a cell without calls is never asked for."""
    found = [1.0] * 8
    for each in chances:
        found[each.cell.confident + 2 * each.cell.unsure + 4 * each.cell.moved] = each.probability
    return found

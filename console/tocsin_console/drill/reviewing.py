"""The reviews of a drill: drawn and scored as those of ``tocsin review --daily`` are. Pure."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from tocsin_console.review.draw import share_of
from tocsin_console.review.sampling import SURE, UNSURE, Cell, inclusions

_DAY: Final = timedelta(days=1)
DRAWN: Final = time(9)  # in the morning, of the calls until then
_SCORED: Final = timedelta(hours=1)  # later


def reviews(
    calls: Sequence[Mapping[str, Any]], *, a_week: int, seed: str
) -> Iterator[tuple[Mapping[str, Any], float, datetime]]:
    """Draw and score some days of calls.

    Args:
        calls: Rows of ``drill/drawable.sql``.
        a_week: How many calls a week.
        seed: The same gives the same calls.

    Yields:
        Each call that was reviewed, the chance with which it was drawn, and when it was scored.
    """
    parts: dict[datetime, list[Mapping[str, Any]]] = {}
    for call in calls:
        morning = datetime.combine(call["started_at"].date(), DRAWN, tzinfo=UTC)
        parts.setdefault(morning if call["started_at"] < morning else morning + _DAY, []).append(call)
    for drawn_at, of_part in sorted(parts.items()):
        chance = random.Random(f"{seed} {drawn_at}")  # noqa: S311 - a sample, no secret
        yield from _draw(of_part, share_of(a_week, drawn_at - _DAY, drawn_at), drawn_at, chance)


def _draw(
    calls: Sequence[Mapping[str, Any]], size: int, drawn_at: datetime, chance: random.Random
) -> Iterator[tuple[Mapping[str, Any], float, datetime]]:
    sure = sorted(call["confidence"] for call in calls if call["confidence"] is not None)
    low, high = (sure[int(q * (len(sure) - 1))] for q in (UNSURE, SURE)) if sure else (-1.0, 2.0)
    cells: dict[str, Cell] = {}
    counts: dict[Cell, int] = {}
    for call in calls:
        confidence = call["confidence"]
        is_sure = confidence is not None and confidence >= high
        cell = Cell(is_sure, confidence is not None and confidence <= low and not is_sure, False)
        cells[call["call_id"]] = cell
        counts[cell] = counts.get(cell, 0) + 1
    chances = {each.cell: each.probability for each in inclusions(counts, size=size)}

    def order(call: Mapping[str, Any]) -> float:
        """Give the key of Pareto sampling. Source: Rosén (1997)."""
        p, u = chances[cells[call["call_id"]]], chance.random()
        return 0.0 if p >= 1 else u / (1 - u) * (1 - p) / p

    keyed = sorted(((order(call), call["call_id"], call) for call in calls), key=lambda each: each[:2])
    for _, name, call in keyed[:size]:
        yield call, chances[cells[name]], drawn_at + _SCORED

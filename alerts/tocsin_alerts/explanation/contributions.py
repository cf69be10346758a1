"""How much of a loss each part of the traffic, and each field's shift, accounts for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tocsin_alerts.statistics import number_buckets


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the traffic then and now: calls, and the share of them estimated wrong."""

    then_calls: float
    then_error: float
    now_calls: float
    now_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one part, or one field, adds to the share of wrong answers."""

    name: str
    points: float  # of the share of all answers; negative: it made it better


def of_parts(parts: Mapping[str, Part]) -> list[Contribution]:
    """Split the change of the overall error over parts that make up the whole, the largest first.

    A part contributes by answering worse, weighed by its mean share of the calls, and by being more of the traffic than
    before, weighed by how much worse than the mean it is. The contributions sum to the change.

    Source:
        Kitagawa (1955), Components of a Difference Between Two Rates.
    """
    then, now = sum(part.then_calls for part in parts.values()), sum(part.now_calls for part in parts.values())
    if not then or not now:
        return []
    overall = sum(
        part.then_calls / then * part.then_error + part.now_calls / now * part.now_error for part in parts.values()
    )
    made = []
    for name, part in parts.items():
        was, share = part.then_calls / then, part.now_calls / now
        error_then = part.then_error if part.then_calls else part.now_error
        error_now = part.now_error if part.now_calls else part.then_error
        worse = (was + share) / 2 * (error_now - error_then)
        more = (share - was) * ((error_then + error_now) / 2 - overall / 2)
        made.append(Contribution(name=name, points=worse + more))
    return sorted(made, key=lambda each: (-each.points, each.name))


def of_shift(cells: Sequence[Part]) -> float:
    """Say how much the error would have changed had only a field's distribution moved, each value as good as it was.

    A value that was never seen before counts as it is now.
    """
    then, now = sum(cell.then_calls for cell in cells), sum(cell.now_calls for cell in cells)
    if not then or not now:
        return 0.0
    return sum(
        (cell.now_calls / now - cell.then_calls / then) * (cell.then_error if cell.then_calls else cell.now_error)
        for cell in cells
    )


def merged(bins: Mapping[int, Part]) -> list[Part]:
    """Put the bins of a number into about ten buckets of what was there before, so that each has calls to go by."""
    seen = [(place, int(part.then_calls)) for place, part in sorted(bins.items()) if part.then_calls]
    if not seen:
        return list(bins.values())
    starts = [start for start, _ in number_buckets(seen)]
    buckets: dict[int, list[Part]] = {}
    for place, part in bins.items():
        below = [index for index, start in enumerate(starts) if start <= place]
        buckets.setdefault(below[-1] if below else 0, []).append(part)
    return [together(parts) for parts in buckets.values()]


def together(parts: Sequence[Part]) -> Part:
    """Make one part of several."""
    then, now = sum(part.then_calls for part in parts), sum(part.now_calls for part in parts)
    wrong_then = sum(part.then_calls * part.then_error for part in parts)
    wrong_now = sum(part.now_calls * part.now_error for part in parts)
    return Part(
        then_calls=then,
        then_error=wrong_then / then if then else 0.0,
        now_calls=now,
        now_error=wrong_now / now if now else 0.0,
    )

"""Who labels which calls: a test set, late truth, a weekly human sample as `tocsin review` draws it, and a judge that errs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from _detect import rollups
from _detect.scenarios import DAY_S, Labels
from _detect.store import PROJECT, START
from _detect.world import REFERENCE_DAYS, Floats, Ints, Rows, Stream
from tocsin_console.review.draw import share_of
from tocsin_console.review.sampling import SURE, UNSURE, Cell, inclusions

_TRUTH, _REVIEW, _JUDGE = 0, 1, 2
_DRAWN_S: Final = 9 * 3600  # in the morning, of the calls until then
_SCORED_S: Final = 3600  # later
_JUDGED_S: Final = 1800  # after midnight, of the day before


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said of some calls."""

    outcomes: Sequence[NDArray[np.void]]
    items: Sequence[dict[str, Any]]  # of the weekly samples, with their selection probabilities


def label(rows: Rows, stream: Stream, labels: Labels, random: np.random.Generator) -> Said:
    """Say which calls are labelled by whom, when, and what is said of them."""
    every = np.arange(len(rows.second))
    if labels.all_after_days is not None:
        late = labels.all_after_days * DAY_S
        return Said(outcomes=[_outcomes(rows, stream, every, _TRUTH, rows.is_right, delay_s=late)], items=[])
    share = labels.reference / (stream.calls_per_day * REFERENCE_DAYS)
    tested = every[(rows.second < REFERENCE_DAYS * DAY_S) & (random.random(len(every)) < share)]
    made = [_outcomes(rows, stream, tested, _TRUTH, rows.is_right[tested], delay_s=DAY_S)]
    reviewed, items = np.zeros(0, dtype=np.int64), []
    if labels.reviews_a_week:
        every_s = DAY_S if labels.reviewed_daily else 7 * DAY_S
        reviewed, chances = _sampled(rows, labels.reviews_a_week, random, every_s=every_s, at_s=_DRAWN_S)
        scored_at = ((rows.second[reviewed] - _DRAWN_S) // every_s + 1) * every_s + _DRAWN_S + _SCORED_S
        delay, weight = scored_at - rows.second[reviewed], 1 / chances
        right = rows.is_right[reviewed]
        made.append(_outcomes(rows, stream, reviewed, _REVIEW, right, delay_s=delay, weight=weight))
        items = [_item(rows, stream, int(call), p) for call, p in zip(reviewed, chances, strict=True)]
    if labels.judged_a_day:
        daily, _ = _sampled(rows, 7 * labels.judged_a_day, random, every_s=DAY_S, at_s=0)
        compared = tested[random.random(len(tested)) < labels.compared / max(1, labels.reference)]
        judged = np.unique(np.concatenate([daily, reviewed, compared]))
        right = rows.is_right[judged]
        errs = random.random(len(judged)) < np.where(right, labels.judge_slanders, labels.judge_misses)
        after = DAY_S + _JUDGED_S - rows.second[judged] % DAY_S
        made.append(_outcomes(rows, stream, judged, _JUDGE, right ^ errs, delay_s=after))
    return Said(outcomes=made, items=items)


def _outcomes(
    rows: Rows,
    stream: Stream,
    picked: Ints,
    kind: int,
    correct: NDArray[np.bool_],
    *,
    delay_s: Ints | int,
    weight: Floats | float = 1.0,
) -> NDArray[np.void]:
    return rollups.outcomes(rows, stream.number, picked, kind=kind, delay_s=delay_s, correct=correct, weight=weight)


def _sampled(rows: Rows, a_week: int, random: np.random.Generator, *, every_s: int, at_s: int) -> tuple[Ints, Floats]:
    """Draw calls with the chances of `tocsin review`, part by part of the week; gives them, ascending, and their chances."""
    picked: list[Ints] = []
    chances: list[Floats] = []
    part = (rows.second - at_s) // every_s
    first_s, last_s = int(rows.second[0]) // DAY_S * DAY_S, (int(rows.second[-1]) // DAY_S + 1) * DAY_S
    for number in np.unique(part):
        calls = np.flatnonzero(part == number)
        begun = int(number) * every_s + at_s
        since, until = (START + timedelta(seconds=x) for x in (max(begun, first_s), min(begun + every_s, last_s)))
        size = share_of(a_week, since, until)
        low, high = np.quantile(rows.confidence[calls], [UNSURE, SURE])
        sure, unsure = rows.confidence[calls] >= high, rows.confidence[calls] <= low
        cells = {Cell(s, u, False): int(((sure == s) & (unsure == u)).sum()) for s, u in ((1, 0), (0, 1), (0, 0))}
        chance = np.zeros(len(calls))
        for each in inclusions(cells, size=size):
            chance[(sure == each.cell.confident) & (unsure == each.cell.unsure)] = each.probability
        drawn = random.random(len(calls))
        order = np.sort(np.argsort(drawn / (1 - drawn) * (1 - chance) / np.maximum(chance, 1e-12))[:size])
        picked.append(calls[order])
        chances.append(chance[order])
    return np.concatenate(picked), np.concatenate(chances)


def _item(rows: Rows, stream: Stream, call: int, probability: float) -> dict[str, Any]:
    started_at = START + timedelta(seconds=int(rows.second[call]))
    monday = started_at.date() - timedelta(days=started_at.weekday())
    return {
        "project": PROJECT,
        "use_case": f"stream-{stream.number}",
        "week": monday,
        "draw": "1",
        "call_id": f"{stream.number}-{rows.first + call}",
        "started_at": started_at,
        "selection_probability": float(probability),
        "state": "scored",
    }

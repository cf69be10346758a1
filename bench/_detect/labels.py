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
from _detect.world import REFERENCE_DAYS, Ints, Rows, Stream
from tocsin_console.review.sampling import Cell, inclusions

_TRUTH, _REVIEW, _JUDGE = 0, 1, 2
_WEEK_S: Final = 7 * DAY_S
_SCORED_S: Final = 10 * 3600  # reviewers score last week's sample on Monday morning
_JUDGED_S: Final = 600
_FIFTH: Final = 0.2


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
    reviewed, items = _reviewed(rows, stream, labels, random)
    if len(reviewed):
        scored_at = (rows.second[reviewed] // _WEEK_S + 1) * _WEEK_S + _SCORED_S
        delay = scored_at - rows.second[reviewed]
        made.append(_outcomes(rows, stream, reviewed, _REVIEW, rows.is_right[reviewed], delay_s=delay))
    if labels.judged_a_day:
        daily = every[random.random(len(every)) < labels.judged_a_day / stream.calls_per_day]
        compared = tested[random.random(len(tested)) < labels.compared / max(1, labels.reference)]
        judged = np.unique(np.concatenate([daily, reviewed, compared]))
        right = rows.is_right[judged]
        errs = random.random(len(judged)) < np.where(right, labels.judge_slanders, labels.judge_misses)
        made.append(_outcomes(rows, stream, judged, _JUDGE, right ^ errs, delay_s=_JUDGED_S))
    return Said(outcomes=made, items=items)


def _outcomes(
    rows: Rows, stream: Stream, picked: Ints, kind: int, correct: NDArray[np.bool_], *, delay_s: Ints | int
) -> NDArray[np.void]:
    return rollups.outcomes(rows, stream.number, picked, kind=kind, delay_s=delay_s, correct=correct, weight=1.0)


def _reviewed(
    rows: Rows, stream: Stream, labels: Labels, random: np.random.Generator
) -> tuple[Ints, list[dict[str, Any]]]:
    """Draw each whole week's sample with the chances of `tocsin review`: half uniform, the rest by confidence."""
    picked: list[Ints] = []
    items: list[dict[str, Any]] = []
    week = rows.second // _WEEK_S
    for number in np.unique(week) if labels.reviews_a_week else ():
        calls = np.flatnonzero(week == number)
        low, high = np.quantile(rows.confidence[calls], [_FIFTH, 1 - _FIFTH])
        sure, unsure = rows.confidence[calls] >= high, rows.confidence[calls] <= low
        cells = {Cell(s, u, False): int(((sure == s) & (unsure == u)).sum()) for s, u in ((1, 0), (0, 1), (0, 0))}
        chance = np.zeros(len(calls))
        for each in inclusions(cells, size=labels.reviews_a_week):
            chance[(sure == each.cell.confident) & (unsure == each.cell.unsure)] = each.probability
        drawn = random.random(len(calls))
        order = np.argsort(drawn / (1 - drawn) * (1 - chance) / chance)[: labels.reviews_a_week]
        picked.append(np.sort(calls[order]))
        items += [_item(rows, stream, int(call), p) for call, p in zip(calls[order], chance[order], strict=True)]
    return np.concatenate(picked) if picked else np.zeros(0, dtype=np.int64), items


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

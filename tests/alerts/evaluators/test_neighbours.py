"""Projects beside each other in the same tables, with the same names and ids: what one does is no figure of another."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, EVALUATORS, HOUR, MONDAY, Store
from tests.alerts.evaluators.test_rollups import insert_calls
from tests.databases import empty

from tocsin_alerts.references import maintain
from tocsin_collector.store.database import Database

BEGAN, DAYS, A_DAY = MONDAY - 34 * DAY, 35, 40
KINDS = ("ground_truth", "review", "judge", "feedback")


def fill(store: Store, seed: int) -> None:
    """Write 35 days of calls and of what was said of them, unlike those of another seed."""
    random = np.random.default_rng(seed)
    calls, said = [], []
    for number in range(DAYS * A_DAY):
        at = BEGAN + number * DAY / A_DAY
        sure, right = float(random.uniform(0.6, 0.999)), int(random.random() < 0.8)
        calls.append({
            "started_at": at, "confidence": sure, "cost": float(random.uniform(0, 1 + seed)), "currency": "EUR",
            "input_numbers": {"ink": float(random.normal(5 + seed, 1)), "prompt.chars": float(random.uniform(9, 99))},
            "input_strings": {"device": "abc"[int(random.integers(3))]}, "input_nulls": ["note"] * int(random.random() < 0.1),
            "segments": {"device": "ab"[number % 2]}, "error_type": "timeout" * int(random.random() < 0.1), "attempt": number % 3,
            "session_id": f"s{number // 4}", "user_id": f"u{number % 90}", "output_label": "xy"[int(random.integers(2))],
            "output_text": f"The plan and that {random.integers(9)}", "duration_ns": int(random.integers(10**6, 10**9)),
        })  # fmt: skip
        said += [
            {
                "started_at": at, "call_id": f"c{number}", "outcome_id": f"{kind}{number}", "kind": kind, "source": kind, "confidence": sure,
                "observed_at": at + HOUR, "correct": right if random.random() < 0.9 else 1 - right, "score": float(random.random()),
                "value": float(random.normal(3, 1)), "predicted_value": float(random.normal(3, 1)), "label": "xy"[right],
                "segments": {"device": "ab"[number % 2]},
            } for kind in KINDS[: 1 + number % 4]
        ]  # fmt: skip
    insert_calls(store, calls)
    store.outcomes(said)
    plan = {"currency": "EUR", "budget_per_day": 24 + seed, "quality_floor": 0.7, "label_delay_s": 3600}
    store.insert("plans", [plan])


Told = tuple[dict[str, str], datetime, int]
Figures = list[float | None]


def measured(store: Store) -> dict[str, tuple[list[Told], list[Figures]]]:
    """Freeze the references and ask every evaluator that speaks of use cases, of the day after them."""
    maintain(store.database, slot=MONDAY)
    found = {}
    for name, evaluator in EVALUATORS.items():
        if not evaluator.is_of_now:
            samples = store.run(
                name, until=MONDAY + DAY, **({"label_delay_s": 3600} if "label_delay_s" in evaluator.params else {})
            )
            told = [(dict(each.labels), each.slot, each.n) for each in samples]
            found[name] = told, [[each.value, each.lower, each.upper, each.baseline, each.effect] for each in samples]
    return found


def test_what_other_projects_do_changes_no_figure(embedded: Database) -> None:
    """Two teams have a use case of one name: a page about the other one's calls wakes the wrong people, for nothing."""
    empty(embedded)
    store = Store(database=embedded, project="mine")
    fill(store, 1)
    alone = measured(store)
    empty(embedded)
    for project, seed in (("before", 2), ("mine", 1), ("nobody", 3)):
        fill(replace(store, project=project), seed)

    beside = measured(store)

    measuring = {name for name, (_, figures) in alone.items() if any(each[0] is not None for each in figures)}
    assert len(measuring) > 30
    for name, (told, figures) in alone.items():
        assert beside[name][0] == told, name
        for there, here in zip(beside[name][1], figures, strict=True):
            assert there == pytest.approx(here), name

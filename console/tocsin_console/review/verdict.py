"""What a reviewer said of one call, checked. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from tocsin_console.errors import UsageProblem

_MOST_MINUTES: Final = 30.0  # of one call: beyond it somebody went for lunch


def verdict_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """Give score, correct and label, as far as they were said.

    Raises:
        UsageProblem: none of them was, or one is not what it should be.
    """
    kept = {name: said[name] for name in ("score", "correct", "label") if said.get(name) is not None}
    if not kept:
        raise UsageProblem("expected a score from 0 to 1, correct (true or false) or the right label, got none of them")
    score = kept.get("score")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1):
        raise UsageProblem(f"expected a score from 0 (worthless) to 1 (right), got {score!r}")
    if not isinstance(kept.get("correct", True), bool):
        raise UsageProblem(f"expected correct as true or false, got {kept['correct']!r}")
    if not isinstance(kept.get("label", ""), str):
        raise UsageProblem(f"expected the right label as a text, got {kept['label']!r}")
    return kept


def minutes_of(said: Any) -> float | None:
    """Give how long it took, None where nobody says.

    Raises:
        UsageProblem: it is no time.
    """
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float) or not said >= 0:
        raise UsageProblem(f"expected minutes of 0 or more, got {said!r}")
    return min(float(said), _MOST_MINUTES)


def is_right(item: Mapping[str, Any]) -> bool:
    """Say whether a scored call counts as right."""
    return bool(item["correct"]) if item["correct"] is not None else bool((item["score"] or 0.0) >= 0.5)

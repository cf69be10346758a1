"""Answer, verify or fall back: what the guard's state and the plan's bar make of one call. Pure.

    state      at or above the bar   no bar yet, or no confidence   below the lower bar
    normal     answer                verify                         fallback
    verify     verify                verify                         fallback
    fallback   fallback              fallback                       fallback
    off        fallback              fallback                       fallback

The first two rows speak of the bar only where the plan has a floor and is automatic: else a normal call is answered, and
what would have been decided is noted beside it. Without a fallback, verify is the most.
"""

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from tocsin._guards.flags import Bar, FlagState, Terms

Decision: TypeAlias = Literal["answer", "verify", "fallback"]

_LEVEL: Final[dict[Decision, int]] = {"answer": 0, "verify": 1, "fallback": 2}
_OF_STATE: Final[dict[str, Decision]] = {
    "normal": "answer",
    "verify": "verify",
    "fallback": "fallback",
    "off": "fallback",
}


def decide(
    now: FlagState, confidence: float | None, model_version: str | None, *, has_fallback: bool
) -> tuple[Decision, Decision | None]:
    """Decide one call; beside it, what an automatic guard would have decided, where that differs.

    Args:
        now: The guard.
        confidence: How sure the model says it is; None when it did not say.
        model_version: Whose bar counts; None: the highest of all versions that answer now.
        has_fallback: Whether anything else than the model can answer.
    """
    by_state = _within(_OF_STATE[now.state], has_fallback=has_fallback)
    terms = now.terms
    if terms.floor is None or by_state == "fallback":
        return by_state, None
    by_bar = _within(_by_bar(terms, confidence, model_version), has_fallback=has_fallback)
    if _LEVEL[by_bar] <= _LEVEL[by_state]:
        return by_state, None
    return (by_bar, None) if terms.is_automatic else (by_state, by_bar)


def bar_of(terms: Terms, model_version: str | None) -> Bar:
    """Give the bar that counts: of a version, or of all that answer; where one of them has none yet, there is none."""
    bars: Sequence[Bar] = terms.bars
    if model_version is not None:
        bars = [bar for bar in bars if bar.model_version == model_version]
    if len(bars) == 1:
        return bars[0]
    highs = [bar.bar for bar in bars if bar.bar is not None]
    lows = [bar.low_bar for bar in bars if bar.low_bar is not None]
    return Bar(
        bar=max(highs) if highs and len(highs) == len(bars) else None,
        low_bar=min(lows) if lows and len(lows) == len(bars) else None,
    )


def _by_bar(terms: Terms, confidence: float | None, model_version: str | None) -> Decision:
    if confidence is None or not 0 <= confidence <= 1:
        return "verify"  # the plan asks for a floor, and nothing says that this answer meets it
    found = bar_of(terms, model_version)
    if found.bar is not None and confidence >= found.bar:
        return "answer"
    if found.low_bar is not None and confidence < found.low_bar:
        return "fallback"
    return "verify"


def _within(decision: Decision, *, has_fallback: bool) -> Decision:
    return "verify" if decision == "fallback" and not has_fallback else decision

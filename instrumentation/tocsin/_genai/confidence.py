"""How sure a model was of what it wrote, out of the log probabilities of its tokens. Pure."""

import math
from collections.abc import Iterable
from typing import Any


class Certainty:
    """Sums log probabilities as tokens come, one at a time or all at once."""

    __slots__ = ("_count", "_sum")

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def add(self, tokens: Iterable[Any]) -> None:
        """Take tokens with a ``logprob``; one that is not known counts for nothing."""
        for token in tokens:
            value = token.get("logprob") if isinstance(token, dict) else getattr(token, "logprob", None)
            if isinstance(value, (int, float)) and value <= 0:
                self._sum += value
                self._count += 1

    @property
    def confidence(self) -> float | None:
        """The probability of the answer, normalised by its length: the geometric mean over its tokens.

        Returns:
            0 to 1; None when no token came with a log probability.

        Source:
            Malinin & Gales (2021), Uncertainty Estimation in Autoregressive Structured Prediction, length-normalised
            log-probability.
        """
        return math.exp(self._sum / self._count) if self._count else None

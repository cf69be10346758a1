"""What a sample with unequal chances says of all calls. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LEAST: Final = 5  # scored calls, below which there is an interval and no value
_Z: Final = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The share of right answers among all calls."""

    value: float | None  # None: too few to say
    lower: float | None  # 95 % interval; None when nothing was scored
    upper: float | None
    n: int
    effective_n: float  # of a uniform sample that would say as much


def share_right(scored: Sequence[tuple[float, bool]]) -> Estimate:
    """Estimate the share of right answers.

    Args:
        scored: The weight of each call, 1 over its selection probability, and whether its answer was right.

    Returns:
        The ratio of weighted sums, and Wilson's interval at the effective sample size: the smaller of Kish's and of what
        the linearised variance gives, since with few calls either alone may be too bold.

    Source:
        Hájek (1971), in Foundations of Statistical Inference; Korn and Graubard (1998), Confidence Intervals for
        Proportions with Small Expected Number of Positive Counts.
    """
    n = len(scored)
    if not n:
        return Estimate(value=None, lower=None, upper=None, n=0, effective_n=0.0)
    total = math.fsum(weight for weight, _ in scored)
    share = math.fsum(weight for weight, is_right in scored if is_right) / total
    effective = total**2 / math.fsum(weight**2 for weight, _ in scored)
    if n > 1 and 0 < share < 1:
        squares = math.fsum((weight * (is_right - share)) ** 2 for weight, is_right in scored)
        effective = min(effective, share * (1 - share) * total**2 / squares)
    lower, upper = wilson(share, effective)
    return Estimate(value=share if n >= LEAST else None, lower=lower, upper=upper, n=n, effective_n=effective)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Give Wilson's 95 % interval of a share among n, which need not be whole.

    Source:
        Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.
    """
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    reach = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)

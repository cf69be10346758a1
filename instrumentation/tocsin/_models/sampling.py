"""Which rows of a large batch are recorded."""

from random import SystemRandom
from typing import Final

_CHANCE: Final = SystemRandom()  # the host may have seeded the shared one, and counts on it


def systematic_sample(count: int, limit: int, start: float | None = None) -> list[int] | None:
    """Choose evenly spaced rows of a batch, each as likely as any other; None when all fit.

    Args:
        count: Rows of the batch.
        limit: Rows to choose at most.
        start: Where in the first stride to begin, 0 to 1; by chance when None.
    """
    if count <= limit:
        return None
    begin = _CHANCE.random() if start is None else start
    stride = count / limit
    return [min(int((at + begin) * stride), count - 1) for at in range(limit)]

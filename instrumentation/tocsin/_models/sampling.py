"""Which rows of a large batch are recorded, and how many rows each of them stands for."""

from dataclasses import dataclass
from random import SystemRandom
from typing import Any, Final

_CHANCE: Final = SystemRandom()  # the host may have seeded the shared one, and counts on it
_LABEL_SHARE: Final = 4  # strata by label, while there are at least so many recorded rows to each on average


@dataclass(frozen=True, slots=True)
class Sample:
    """Recorded rows. Weights are whole numbers, so that any sum of them is exact."""

    rows: list[int]  # ascending
    weights: list[int]  # the rows that each stands for, itself included; they sum to the batch


def stratified_sample(count: int, limit: int, labels: Any = None, seed: int | None = None) -> Sample | None:
    """Choose rows of a batch, one from each of `limit` strata of equal size; None when all fit.

    A stratum is a run of neighbouring rows with the same label, so the weights sum to the number of rows, and those of one
    label to the number of its rows: both exactly. Within a stratum every row is as likely: what is summed is unbiased.

    Args:
        count: Rows of the batch.
        limit: Rows to choose at most.
        labels: What each row was answered, as an array; None when it is a number, or unknown.
        seed: Of the choice; by chance when None.
    """
    if count <= limit:
        return None
    import numpy as np

    chance = np.random.default_rng(_CHANCE.getrandbits(64) if seed is None else seed)
    order, sizes = _by_label(labels, count, limit)
    shares = _shares(sizes, limit)
    # The strata's ends within the order: each label's rows, cut into as many parts as it has a share.
    starts = np.concatenate([begin + (np.arange(share) * size) // share for begin, size, share in _runs(sizes, shares)])
    widths = np.diff(np.append(starts, count))
    picked = starts + (chance.random(len(starts)) * widths).astype(np.int64)
    rows = picked if order is None else order[picked]
    ascending = np.argsort(rows)
    return Sample(rows[ascending].tolist(), widths[ascending].tolist())


def _by_label(labels: Any, count: int, limit: int) -> tuple[Any, Any]:
    """Order the rows by label, keeping their order within one. Returns that order, and the rows of each label."""
    import numpy as np

    whole = (None, np.array([count]))
    if labels is None or len(labels) != count:
        return whole
    codes = _codes(labels)
    if codes is None:
        return whole
    sizes = np.bincount(codes)
    sizes = sizes[sizes > 0]
    if len(sizes) == 1 or len(sizes) * _LABEL_SHARE > limit:
        return whole
    return np.argsort(codes, kind="stable"), sizes


def _codes(labels: Any) -> Any:
    """Number the labels from 0; small integers, which sort in linear time. None when there are too many."""
    import numpy as np

    if labels.ndim != 1:
        return None
    if labels.dtype.kind in "biu":
        lowest, highest = int(labels.min()), int(labels.max())
        if highest - lowest < np.iinfo(np.int16).max:
            return (labels.astype(np.int64) - lowest).astype(np.uint16)
    known: dict[Any, int] = {}
    codes = np.fromiter((known.setdefault(label, len(known)) for label in labels.tolist()), np.int64, len(labels))
    return codes.astype(np.uint16) if len(known) <= np.iinfo(np.uint16).max else None


def _shares(sizes: Any, limit: int) -> Any:
    """Divide the limit among the labels by their rows; at least one to each."""
    import numpy as np

    shares = np.maximum((sizes * limit) // sizes.sum(), 1)
    while (over := int(shares.sum()) - limit) > 0:  # the rare ones' minimum is taken from the most frequent
        largest = int(shares.argmax())
        shares[largest] -= min(over, int(shares[largest]) - 1)
    return np.minimum(shares, sizes)


def _runs(sizes: Any, shares: Any) -> Any:
    begin = 0
    for size, share in zip(sizes.tolist(), shares.tolist(), strict=True):
        yield begin, size, share
        begin += size

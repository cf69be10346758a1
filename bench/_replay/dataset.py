"""What a replay needs of a data set: a model, and one day after another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The calls of one day, in order of time."""

    date: date
    frame: Any  # as the model takes them, (n, fields)
    at_ns: NDArray[np.int64]  # when each is asked, ns since the epoch, ascending, (n,)
    truth: NDArray[np.str_]  # what turns out to be so, (n,)


class DataSet(Protocol):
    """Rows whose truth is known, and a model that was trained before the first of them."""

    use_case: str
    model_version: str
    fields: Sequence[str]
    segments: Sequence[str]
    label_delay: timedelta  # after which all of a day's truth is recorded
    model: Any  # scikit-learn's, fitted, answering with strings

    def days(self) -> Iterator[Day]:
        """Yield every day, whole."""
        ...

"""Rows that were asked about, and their answers: of an estimator, a booster or anything callable."""

from collections.abc import Callable, Sequence
from typing import Any

from tocsin._models.answers import Answers, Reading, count_rows, keep_result, labels_of, read_answers
from tocsin._models.columns import Read
from tocsin._models.description import Description
from tocsin._models.inputs import keep_inputs


class AnsweredRows:
    """As `Seen`; copies are made of what is recorded, and read in another thread."""

    __slots__ = ("_given", "_reading", "_result", "about", "count")

    def __init__(self, given: Any, result: Any, about: Description, reading: Reading) -> None:
        self._given = given
        self._result = result
        self._reading = reading
        self.about = about
        self.count = count_rows(result)

    def keep_inputs(self, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, /) -> Read:
        """Copy rows of the inputs, by the names of fields."""
        return keep_inputs(self._given, chosen, wanted, self.about.feature_names)

    def keep_answers(self, chosen: Sequence[int] | None, /) -> Callable[[], Answers]:
        """Copy rows of the answers."""
        kept, reading = keep_result(self._result, chosen), self._reading
        return lambda: read_answers(kept, reading)

    def labels(self) -> Any:
        """Give the labels of all rows as an array; None when there is nothing to count by."""
        return labels_of(self._result, self._reading)

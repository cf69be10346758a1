"""Operations on rows of numbers: what scikit-learn, XGBoost and LightGBM were asked, and what they returned."""

from collections.abc import Callable, Sequence
from typing import Any

from tocsin._models.answers import Answers, Reading, count_rows, keep_result, labels_of, read_answers, reading_of
from tocsin._models.boosters import answers_at_all, wants_margin
from tocsin._models.columns import Read
from tocsin._models.description import Description, describe
from tocsin._models.inputs import keep_inputs
from tocsin._models.operation import Operation, Seen


class _Rows:
    """What was asked about rows, and answered."""

    __slots__ = ("_operation", "_reading", "about", "count")

    def __init__(self, operation: Operation, about: Description, reading: Reading) -> None:
        self._operation = operation
        self._reading = reading
        self.about = about
        self.count = count_rows(operation.result)

    def keep_inputs(self, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, /) -> Read:
        return keep_inputs(self._operation.inputs, chosen, wanted, self.about.feature_names)

    def keep_answers(self, chosen: Sequence[int] | None, /) -> Callable[[], Answers]:
        kept, reading = keep_result(self._operation.result, chosen), self._reading
        return lambda: read_answers(kept, reading)

    def labels(self) -> Any:
        return labels_of(self._operation.result, self._reading)


def see_arrays(operation: Operation) -> Seen | None:
    """See an operation whose inputs and answers are arrays, frames or lists of rows."""
    options = operation.options()
    if options and not answers_at_all(options):
        return None
    about = describe(operation.model)
    is_margin = bool(options) and wants_margin(options)
    reading = about.readings.get((operation.method, is_margin))
    if reading is None:
        reading = about.readings[operation.method, is_margin] = reading_of(
            operation.method,
            about.answers_as,
            about.classes,
            is_classifier=about.is_classifier,
            is_margin=is_margin,
        )
    return _Rows(operation, about, reading)

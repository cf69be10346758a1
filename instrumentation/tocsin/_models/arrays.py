"""Operations on rows of numbers: what scikit-learn, XGBoost and LightGBM were asked, and what they returned."""

from collections.abc import Callable, Sequence

from tocsin._models.answers import Answers, count_rows, keep_result, labels_of, read_answers, reading_of
from tocsin._models.boosters import answers_at_all, wants_margin
from tocsin._models.description import describe
from tocsin._models.inputs import keep_inputs
from tocsin._models.operation import Operation, Seen


def see_arrays(operation: Operation) -> Seen | None:
    """See an operation whose inputs and answers are arrays, frames or lists of rows."""
    options = operation.options()
    if options and not answers_at_all(options):
        return None
    result, about = operation.result, describe(operation.model)
    reading = reading_of(
        operation.method,
        about.answers_as,
        about.classes,
        is_classifier=about.is_classifier,
        is_margin=bool(options) and wants_margin(options),
    )

    def keep_answers(chosen: Sequence[int] | None) -> Callable[[], Answers]:
        kept = keep_result(result, chosen)
        return lambda: read_answers(kept, reading)

    return Seen(
        about=about,
        count=count_rows(result),
        keep_inputs=lambda chosen, wanted: keep_inputs(operation.inputs, chosen, wanted, about.feature_names),
        keep_answers=keep_answers,
        labels=lambda: labels_of(result, reading),
    )

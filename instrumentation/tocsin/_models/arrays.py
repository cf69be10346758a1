"""Operations on rows of numbers: what scikit-learn, XGBoost and LightGBM were asked, and what they returned."""

from tocsin._models.answered import AnsweredRows
from tocsin._models.answers import reading_of
from tocsin._models.boosters import answers_at_all, wants_margin
from tocsin._models.description import describe
from tocsin._models.operation import Operation, Seen


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
    return AnsweredRows(operation.inputs, operation.result, about, reading)

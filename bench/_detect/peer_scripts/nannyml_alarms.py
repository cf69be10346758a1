"""NannyML as its quick start has it, in daily chunks: CBPE, Jensen-Shannon of each column, missing values, and what labels say.

A classifier is asked of NannyML as a binary one that always answers 1: it is right with the probability that it says. An alarm is
a chunk for which NannyML itself alerts, by its own thresholds of the reference's chunks.
"""

import json
import os
import sys
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # read at import

import nannyml
import numpy as np
import pandas as pd

COLUMNS = {"ink": False, "length": False, "amount": False, "device": True, "language": True}  # whether categories

with np.load(sys.argv[1]) as file:
    rows = {name: file[name] for name in file.files}
late = int(rows["labels_after_days"])
first = int(rows["reference_days"])
day = rows["second"] // 86_400
frame = pd.DataFrame(
    {
        **{name: rows[name].astype(str) if is_category else rows[name] for name, is_category in COLUMNS.items()},
        "probability": rows["confidence"],
        "answer": 1,
        "is_right": rows["is_right"].astype(int),
        "at": pd.Timestamp("2026-01-01") + pd.to_timedelta(rows["second"], unit="s"),
    }
)
reference, present = frame[day < first], frame[day >= first]
classifier = {"y_pred_proba": "probability", "y_pred": "answer", "y_true": "is_right", "metrics": ["accuracy"]}
in_days: dict[str, Any] = {"timestamp_column_name": "at", "chunk_period": "D"}


def alarms(answers: Any, after_days: int = 0) -> list[int]:
    """Give the days of the chunks for which anything of an answer alerts."""
    told = answers.filter(period="analysis").to_df(multilevel=False)
    alerts = (
        told[[column for column in told.columns if column.endswith("alert")]]
        .fillna(value=False)
        .astype(bool)
        .any(axis=1)
    )
    return [first + int(chunk) + after_days for chunk in np.flatnonzero(alerts.to_numpy())]


def ask(method: Any) -> Any:
    """Fit a method on the reference and ask it about the rest."""
    method.fit(reference)
    return method.estimate(present) if hasattr(method, "estimate") else method.calculate(present)


names = list(COLUMNS)
said = {
    "cbpe": alarms(ask(nannyml.CBPE(problem_type="classification_binary", **classifier, **in_days))),
    "any_column": alarms(
        ask(
            nannyml.UnivariateDriftCalculator(
                column_names=names,
                treat_as_categorical=[name for name, is_category in COLUMNS.items() if is_category],
                continuous_methods=["jensen_shannon"],
                categorical_methods=["jensen_shannon"],
                **in_days,
            )
        )
    ),
    "missing": alarms(ask(nannyml.MissingValuesCalculator(column_names=names, **in_days))),
}
if late >= 0:
    said["errors"] = alarms(
        ask(nannyml.PerformanceCalculator(problem_type="classification_binary", **classifier, **in_days)), late
    )
print(json.dumps(said))

"""River as its guide has it: ADWIN and DDM, as shipped, on every answer that turned out wrong, and ADWIN on doubt."""

import json
import sys

import numpy as np
from river import drift
from river.drift import binary

with np.load(sys.argv[1]) as file:
    rows = {name: file[name] for name in file.files}
late = int(rows["labels_after_days"])
first = int(rows["reference_days"])
day = rows["second"] // 86_400


def alarms(detector: object, values: "np.ndarray", after_days: int = 0) -> list[int]:
    """Give the days on which a detector that sees every call drifted, from the end of the reference on."""
    found = []
    for value, at in zip(values.tolist(), day.tolist(), strict=True):
        detector.update(value)  # type: ignore[attr-defined]
        if detector.drift_detected and at + after_days >= first:  # type: ignore[attr-defined]
            found.append(at + after_days)
    return sorted(set(found))


said = {"adwin_doubt": alarms(drift.ADWIN(), 1 - rows["confidence"])}
if late >= 0:
    wrong = ~rows["is_right"]
    said["adwin_errors"] = alarms(drift.ADWIN(), wrong.astype(float), late)
    said["ddm_errors"] = alarms(binary.DDM(), wrong, late)
print(json.dumps(said))

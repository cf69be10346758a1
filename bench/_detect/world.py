"""One simulated stream, call by call: a classifier whose confidence is calibrated, its inputs, and what happens to it.

Ink (a number) and device (a category) make a call easy or hard: its log-odds of being right are a + b·ink + device + noise,
and confidence is their logistic, so it is calibrated in the reference. Length, amount, language and customer do not matter.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

REFERENCE_DAYS: Final = 28
LAUNCH: Final = 0.94
BOTTOM: Final = 0.78

DEVICES: Final = ("flatbed", "handheld", "camera", "fax", "tablet")  # the last one is the new category
LANGUAGES: Final = ("en", "de", "fr")
LABELS: Final = ("billing", "delivery", "refund", "other")
CUSTOMERS: Final = 250  # at a time; each is followed by a new one after 200 days
CUSTOMER_DAYS: Final = 200

_INK: Final = 0.9  # log-odds of one standard deviation of ink
_NOISE: Final = 1.1
_DEVICE_ODDS: Final = np.array([0.2, 0.0, -0.3, -0.4, -0.2])
_DEVICE_SHARES: Final = np.array([0.45, 0.3, 0.2, 0.05])
_LANGUAGE_SHARES: Final = np.array([0.6, 0.25, 0.15])
_WEEKEND_TRAFFIC: Final = 0.6
_WEEKEND_INK: Final = 0.08  # weekends are about a third of a point easier
_ROWS_AT_ONCE: Final = 400_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wander:
    """Slow movement of the daily levels: AR(1) with this coefficient and stationary standard deviation.

    0.15 points of accuracy, so that 95 % of days lie within 0.3 points of their mean: what nobody would call a change,
    yet as large as the error with which 2,000 calls measure a day's estimate. Inputs that do not matter wander by a
    twentieth of their own standard deviation.
    """

    phi: float
    accuracy: float = 0.0015
    inputs: float = 0.05

    def draw(self, random: np.random.Generator, days: int) -> Floats:
        """Draw one level a day, of standard deviation 1."""
        level = np.empty(days)
        level[0] = random.normal()
        steps = random.normal(0, math.sqrt(1 - self.phi**2), days)
        for day in range(1, days):
            level[day] = self.phi * level[day - 1] + steps[day]
        return level


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to a stream, and from when. Each is 0 or 1 (off or on) unless it says otherwise."""

    covariate: bool = False  # 94 -> 78 % over 60 days, through ink and confidence
    concept: bool = False  # the same, by answers that turn wrong at any confidence
    swap: bool = False  # another model under the same name: less sure of itself, two points worse
    null_share: float = 0.0  # of calls that lack ink, from some second of the first day
    new_share: float = 0.0  # of calls from a device never seen before
    campaign: bool = False  # 14 days of half as many calls again, in other languages, longer, dearer, just as right


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One use case: its size, its wander, and its change."""

    number: int
    seed: int
    calls_per_day: int
    days: int
    wander: Wander
    change: Change = Change()
    onset_s: int = 0  # seconds since the start; 0 with no change
    names: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some days of calls, each array of shape (calls,), in order of time."""

    second: Ints  # since the start
    ink: Floats
    is_null: NDArray[np.bool_]  # ink is missing
    has_no_note: NDArray[np.bool_]
    length: Floats
    amount: Floats
    device: Ints
    language: Ints
    customer: Ints
    confidence: Floats
    is_right: NDArray[np.bool_]
    label: Ints
    first: int  # number of the first call


def simulate(stream: Stream) -> Iterator[Rows]:
    """Draw every call of a stream, some days at a time. The same stream gives the same calls."""
    random = np.random.default_rng([stream.seed, stream.number])
    levels = {name: stream.wander.draw(random, stream.days) for name in ("ink", "truth", "length", "amount", "device")}
    at_once = max(7, _ROWS_AT_ONCE // stream.calls_per_day // 7 * 7)  # whole weeks
    drawn = 0
    for first in range(0, stream.days, at_once):
        days = np.arange(first, min(first + at_once, stream.days))
        rows = _draw(stream, random, days, levels, drawn)
        drawn += len(rows.second)
        yield rows


def _draw(stream: Stream, random: np.random.Generator, days: Ints, levels: dict[str, Floats], first: int) -> Rows:
    change, wander, curve = stream.change, stream.wander, _Curve.of()
    hours = (days[:, None] * 24 + np.arange(24)).ravel()
    counts = random.poisson(_rates(stream, hours))
    second = np.repeat(hours * 3600, counts) + random.integers(0, 3600, counts.sum())
    second.sort()
    n, day = len(second), second // 86_400
    weekend = (day % 7 >= 5).astype(float)
    since = (second - stream.onset_s) / 86_400  # days since the change
    on = since >= 0
    campaign = on & (since < 14) & change.campaign

    device = _pick(random, n, _DEVICE_SHARES, tilt=wander.inputs * levels["device"][day] + 0.2 * weekend)
    device[random.random(n) < change.new_share * on] = len(DEVICES) - 1
    ink_level = curve.odds(wander.accuracy) / _INK * levels["ink"][day] + _WEEKEND_INK * weekend
    if change.covariate:
        ink_level = ink_level - curve.shift(LAUNCH - _fallen(since) * (LAUNCH - BOTTOM)) / _INK
    ink = ink_level + random.normal(0, 1, n)
    odds = curve.intercept + _INK * ink + _DEVICE_ODDS[device] + random.normal(0, _NOISE, n)
    chance = 1 / (1 + np.exp(-(odds + curve.odds(wander.accuracy) * levels["truth"][day])))
    if change.concept:
        chance = chance * (1 - _fallen(since) * (1 - BOTTOM / LAUNCH))
    if change.swap:
        chance = np.where(on, chance - 0.02, chance)
        odds = np.where(on, 0.7 * odds + 0.4, odds)
    slots = np.minimum((CUSTOMERS * random.random(n) ** 1.3).astype(np.int64), CUSTOMERS - 1)
    return Rows(
        second=second,
        ink=ink + 8,
        is_null=on & (random.random(n) < change.null_share),
        has_no_note=random.random(n) < 0.02,
        length=np.exp(5 + 0.3 * (random.normal(0, 1, n) + wander.inputs * levels["length"][day] + 0.5 * campaign)),
        amount=np.exp(3 + 0.4 * (random.normal(0, 1, n) + wander.inputs * levels["amount"][day] + 0.5 * campaign)),
        device=device,
        language=_pick(random, n, _LANGUAGE_SHARES, tilt=1.0 * campaign),
        customer=slots + CUSTOMERS * ((day + slots * 37 % CUSTOMER_DAYS) // CUSTOMER_DAYS),
        confidence=1 / (1 + np.exp(-odds)),
        is_right=random.random(n) < chance,
        label=random.integers(0, len(LABELS), n),
        first=first,
    )


def _rates(stream: Stream, hours: Ints) -> Floats:
    """Mean calls of each hour: office hours high, nights a sixth of them, weekends 60 %, a campaign half as many again."""
    shape = 0.35 + 0.25 * (1 - np.cos(2 * np.pi * (np.arange(24) - 2) / 24)) ** 1.5
    weights = shape / shape.sum()
    weekend = (hours // 24) % 7 >= 5
    rates = stream.calls_per_day * weights[hours % 24] * np.where(weekend, _WEEKEND_TRAFFIC, 1.0)
    since = hours * 3600 - stream.onset_s
    return (
        np.where(stream.change.campaign & (since >= 0) & (since < 14 * 86_400), 1.5, 1.0)
        * rates
        * 7
        / (5 + 2 * _WEEKEND_TRAFFIC)
    )


def _fallen(since: Floats) -> Floats:
    """How much of the fall lies behind: linear over 60 days."""
    return np.clip(since / 60, 0, 1)


def _pick(random: np.random.Generator, n: int, shares: Floats, *, tilt: Floats) -> Ints:
    """Draw categories; a tilt moves odds from the first one to the second."""
    moved = np.clip(shares[0] * (1 - np.exp(-np.abs(tilt))) * np.sign(tilt), -shares[1] / 2, shares[0] / 2)
    u = random.random(n)
    first, second = shares[0] - moved, shares[1] + moved
    rest = np.cumsum(shares)[2:]
    picked = (u >= first).astype(np.int64) + (u >= first + second)
    for edge in rest[:-1]:
        picked += u >= edge
    return picked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """How accuracy follows from a shift of the log-odds, worked out once on many fixed calls."""

    intercept: float
    shifts: Floats
    accuracy: Floats

    @classmethod
    def of(cls) -> "_Curve":
        """Find the intercept that gives 94 %."""
        global _KNOWN  # noqa: PLW0603 - worked out once
        if _KNOWN is None:
            random = np.random.default_rng(0)
            n = 200_000
            device = random.choice(4, n, p=_DEVICE_SHARES)
            weekend = _WEEKEND_INK * _INK * (random.random(n) < 2 * _WEEKEND_TRAFFIC / (5 + 2 * _WEEKEND_TRAFFIC))
            odds = math.hypot(_INK, _NOISE) * random.normal(0, 1, n) + _DEVICE_ODDS[device] + weekend
            low, high = 0.0, 10.0
            for _ in range(40):
                middle = (low + high) / 2
                low, high = (middle, high) if np.mean(1 / (1 + np.exp(-(odds + middle)))) < LAUNCH else (low, middle)
            shifts = np.linspace(-1, 4, 501)
            accuracy = np.array([np.mean(1 / (1 + np.exp(-(odds[::10] + low - shift)))) for shift in shifts])
            accuracy += LAUNCH - float(np.interp(0, shifts, accuracy))
            _KNOWN = cls(intercept=low, shifts=shifts, accuracy=accuracy)
        return _KNOWN

    def shift(self, accuracy: Floats) -> Floats:
        """Say by how much the log-odds must sink for this accuracy."""
        return np.interp(accuracy, self.accuracy[::-1], self.shifts[::-1])

    def odds(self, accuracy: float) -> float:
        """Turn a small change of accuracy at launch into one of the log-odds."""
        return float(self.shift(np.array([LAUNCH - accuracy]))[0])


_KNOWN: _Curve | None = None

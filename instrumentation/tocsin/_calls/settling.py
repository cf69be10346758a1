"""What was said of a call, as the attributes of its span. Pure; runs on the exporting thread."""

import json
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

from tocsin._calls import values
from tocsin._calls.values import Flags, Scalar, add_flag
from tocsin_wire import attributes as keys

_SHORT: Final = 256  # characters of ASCII that need no look at the limit
_ROOM: Final = 2  # for the two attributes that are written last


def settle(
    said: Mapping[str, Any],
    inputs: Mapping[str, Any],
    probabilities: Mapping[Any, float] | None,
    flags: Mapping[str, None] | None,
    limit: int | None = None,
) -> dict[str, Scalar]:
    """Check, cut and name everything that was said.

    Args:
        said: Values by wire key, as the host gave them.
        inputs: Input features by name; None and NaN are listed as missing.
        probabilities: By class, finite.
        flags: What was flagged while it was said.
        limit: Attributes that a span may have; inputs give way, so that what names the call is always there.
    """
    found: Flags = dict(flags) if flags else {}
    told = _settle_said(said, found)
    if probabilities:
        _settle_probabilities(told, probabilities, found)
    fields, nulls = _settle_inputs(inputs, found)
    if limit is not None and len(fields) > (room := limit - len(told) - _ROOM):
        add_flag(found, f"fields_dropped:{len(fields) - max(room, 0)}")
        fields = dict(islice(fields.items(), max(room, 0)))
    fields.update(told)
    if nulls:
        fields[keys.NULL_INPUTS] = json.dumps(nulls)
    if found:
        fields[keys.FLAGS] = ",".join(found)
    return fields


def best_of(probabilities: Mapping[Any, float]) -> Any:
    """Name the likeliest class; the first of equals."""
    return max(probabilities, key=probabilities.__getitem__)


def _settle_said(said: Mapping[str, Any], flags: Flags) -> dict[str, Scalar]:
    told: dict[str, Scalar] = {}
    for key, value in said.items():
        if (special := _SPECIAL.get(key)) is not None:
            special(told, key, value, flags)
        elif type(value) is not str or (value and len(value) < _SHORT and value.isascii()):
            told[key] = value
        elif value:
            told[key] = values.text(value, flags, _short(key))
    return told


def _settle_inputs(inputs: Mapping[str, Any], flags: Flags) -> tuple[dict[str, Scalar], list[str]]:
    fields: dict[str, Scalar] = {}
    nulls: list[str] = []
    for name, value in inputs.items():
        known = values.scalar(value, flags, name)
        if known is None:
            nulls.append(values.name(name, flags))
        else:
            fields[_input_key(name, flags)] = known
    return fields, nulls


def _settle_probabilities(told: dict[str, Scalar], probabilities: Mapping[Any, float], flags: Flags) -> None:
    known = {
        values.name(label, flags): number
        for label, probability in probabilities.items()
        if (number := values.finite(probability)) is not None
    }
    if len(known) < len(probabilities):
        add_flag(flags, f"probabilities_dropped:{len(probabilities) - len(known)}")
    if not known:
        return
    for label, number in known.items():
        told[keys.PROBABILITY_PREFIX + label] = number
    best = best_of(known)
    told.setdefault(keys.OUTPUT_LABEL, best)
    if keys.CONFIDENCE not in told:
        told[keys.CONFIDENCE] = known[best]
        told[keys.CONFIDENCE_SOURCE] = "proba"
        if not 0 <= known[best] <= 1:
            add_flag(flags, "confidence_out_of_range")


def _label(told: dict[str, Scalar], key: str, value: Any, flags: Flags) -> None:
    told[key] = values.text(value, flags, "label")


def _answer(told: dict[str, Scalar], key: str, value: Any, flags: Flags) -> None:
    number = values.finite(value)
    if number is None:
        add_flag(flags, "not_finite:output")
    else:
        told[key] = number


def _text(told: dict[str, Scalar], key: str, value: Any, flags: Flags) -> None:
    told[key] = values.text(value, flags, "output")


def _amount(told: dict[str, Scalar], key: str, value: Any, flags: Flags) -> None:
    number = values.finite(value)
    if number is None:
        add_flag(flags, "not_finite:cost")
    else:
        told[key] = number


def _currency(told: dict[str, Scalar], key: str, value: Any, flags: Flags) -> None:
    told[key] = values.text(value[:8], flags, "currency")


_Special = Callable[[dict[str, Scalar], str, Any, Flags], None]
_SPECIAL: Final[Mapping[str, _Special]] = {
    keys.OUTPUT_LABEL: _label,
    keys.OUTPUT_VALUE: _answer,
    keys.OUTPUT_TEXT: _text,
    keys.COST_AMOUNT: _amount,
    keys.COST_CURRENCY: _currency,
}


def _short(key: str) -> str:
    return key.rpartition(".")[2]


def _input_key(name: str, flags: Flags) -> str:
    known = _INPUT_KEYS.get(name)
    if known is None:
        known = keys.INPUT_PREFIX + values.name(name, flags)
        if len(_INPUT_KEYS) < _MOST_KEYS and len(name) <= values.NAME_LIMIT:
            _INPUT_KEYS[name] = known
    return known


_MOST_KEYS: Final = 4_096
_INPUT_KEYS: Final[dict[str, str]] = {}  # a cache: the same few names come with every call

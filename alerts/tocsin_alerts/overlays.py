"""Alerts that stand beside a rule's own, under its labels and one more: it has nothing to judge, or it cannot be evaluated.

Beside, not instead: whether what the rule watches is well is not known, so its own alerts stay as they were.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

Beside: TypeAlias = Literal["no_data", "error"]

_LABEL: Final = "overlay"
_KNOWN: Final[Mapping[str, Beside]] = {"no_data": "no_data", "error": "error"}


def labels_of(labels: Mapping[str, str], beside: Beside) -> dict[str, str]:
    """Give the labels of an alert that stands beside one with these."""
    return {**labels, _LABEL: beside}


def watched(labels: Mapping[str, str]) -> dict[str, str]:
    """Give the labels of the alert beside which one stands."""
    return {name: value for name, value in labels.items() if name != _LABEL or value not in _KNOWN}


def overlay_of(labels: Mapping[str, str]) -> Beside | None:
    """Say what an alert tells beside its rule's own; None: it is one of those."""
    return _KNOWN.get(labels.get(_LABEL, ""))

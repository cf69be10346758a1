"""The person on call, played by a rule: releases the guard when tocsin itself says that the model has recovered."""

from collections.abc import Sequence

from tocsin_console.demo.story import Belief

_NEAR = 0.01  # of the reference: the estimate counts as back
_DAYS_IN_A_ROW = 2  # one good day is luck


def has_recovered(estimates: Sequence[Belief]) -> bool:
    """Whether the probes show what a careful person wants to see before the model is trusted again.

    Labels are five days late, so the label-free estimate is what there is; the incident itself stays open until labels
    have confirmed it.

    Args:
        estimates: Accuracy estimated from the calls that still reach the model, oldest first.
    """
    last = estimates[-_DAYS_IN_A_ROW:]
    return len(last) == _DAYS_IN_A_ROW and all(
        estimate.baseline is not None and estimate.baseline - estimate.value < _NEAR for estimate in last
    )

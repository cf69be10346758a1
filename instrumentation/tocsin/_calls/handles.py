"""Call handles out of a call's attributes: what a late outcome needs to know."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tocsin._calls.values import Scalar, label_text
from tocsin_wire import attributes as keys
from tocsin_wire import pack_handle

_CARRIED: Final = (
    keys.USE_CASE,
    keys.CALL_ID,
    keys.MODEL_VERSION,
    keys.PROMPT_VERSION,
    keys.CONFIDENCE,
    keys.WEIGHT,
    keys.OUTPUT_LABEL,
    keys.OUTPUT_VALUE,
    keys.SERVED_BY,
    keys.PROBE,
)


def handle_of(
    attributes: Mapping[str, Scalar],
    *,
    use_case: str,
    call_id: str,
    started_ns: int,
    segments: Sequence[str] = (),
) -> str:
    """Print the handle of one call.

    Args:
        attributes: The call's attributes, as its span carries them.
        use_case: Used when the attributes name none.
        call_id: Used when the attributes name none: trace id and span id in hex.
        started_ns: Start, in nanoseconds since 1970, UTC.
        segments: Names of input fields that the outcome's quality is also kept by.

    Raises:
        HandleError: use case and call id alone do not fit.
    """
    from tocsin_wire.v1.outcomes_pb2 import CallRef

    attributes = _fit_to_leave(attributes, segments, use_case)
    confidence = attributes.get(keys.CONFIDENCE)
    weight = attributes.get(keys.WEIGHT)
    ref = CallRef(
        use_case=str(attributes.get(keys.USE_CASE) or use_case),
        call_id=str(attributes.get(keys.CALL_ID) or call_id),
        started_unix_nano=started_ns,
        model_version=str(attributes.get(keys.MODEL_VERSION, "")),
        prompt_version=str(attributes.get(keys.PROMPT_VERSION, "")),
        confidence=confidence if isinstance(confidence, float) and 0 <= confidence <= 1 else None,
        weight=float(weight) if weight is not None else None,
        segments=_segments(attributes, segments),
        served_by=str(attributes.get(keys.SERVED_BY, "")),
        is_probe=bool(attributes.get(keys.PROBE, False)),
    )
    if keys.OUTPUT_LABEL in attributes:
        ref.label = str(attributes[keys.OUTPUT_LABEL])
    elif isinstance(value := attributes.get(keys.OUTPUT_VALUE), (int, float)):
        ref.value = float(value)
    return pack_handle(ref)


def _fit_to_leave(attributes: Mapping[str, Scalar], segments: Sequence[str], use_case: str) -> dict[str, Any]:
    """Take out of what a handle carries what the span does not carry either: it stands in forms, log lines and columns."""
    from tocsin._privacy import policy

    carried = (*_CARRIED, *(keys.INPUT_PREFIX + name for name in segments))
    said = {key: attributes[key] for key in carried if key in attributes}
    return policy(str(said.get(keys.USE_CASE) or use_case)).apply(said)


def call_id(trace_id: int, span_id: int) -> str:
    """Join trace id and span id in hex: the call id unless the host names one."""
    return f"{trace_id:032x}{span_id:016x}"


def _segments(attributes: Mapping[str, Scalar], names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        value = attributes.get(keys.INPUT_PREFIX + name)
        if value is not None:
            # The collector writes booleans in lower case; both must name the same segment.
            found[name] = str(value).lower() if isinstance(value, bool) else label_text(value)
    return found

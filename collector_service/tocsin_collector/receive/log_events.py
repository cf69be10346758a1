"""Log events made readable for the engine: nested values become JSON, call handles become the facts they carry.

The engine decodes lists and maps one level deep. Message content nests four, in events that come once a call; so those are
written out here, and only those.
"""

import base64
import json
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tocsin_wire import HandleError, unpack_handle
from tocsin_wire.attributes import (
    CALL_HANDLE,
    CALL_ID,
    CALL_STARTED,
    CONFIDENCE,
    MODEL_VERSION,
    OUTPUT_LABEL,
    PROMPT_HASH,
    SERVED_BY,
    USE_CASE,
)

_DEEP = {"array_value", "kvlist_value"}


def make_readable(request: ExportLogsServiceRequest, body: bytes) -> bool:
    """Write nested values of GenAI events as JSON and expand call handles, in place; says whether anything changed."""
    if b"gen_ai." not in body and CALL_HANDLE.encode() not in body:
        return False
    changed = False
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                changed |= _flatten(record.body)
                for attribute in record.attributes:
                    changed |= _flatten(attribute.value)
                changed |= _expand(record.attributes)
    return changed


def _flatten(value: AnyValue) -> bool:
    which = value.WhichOneof("value")
    if which not in _DEEP:
        return False
    members = getattr(value, which).values
    inside = [member.value if which == "kvlist_value" else member for member in members]
    if not any(each.WhichOneof("value") in _DEEP for each in inside):
        return False  # the engine writes it as well
    value.string_value = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    return True


def _plain(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_plain(each) for each in value.array_value.values]
        case "kvlist_value":
            return {each.key: _plain(each.value) for each in value.kvlist_value.values}
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case which:
            return getattr(value, which)


def _expand(attributes: Any) -> bool:
    handle = next((each.value.string_value for each in attributes if each.key == CALL_HANDLE), "")
    if not handle:
        return False
    try:
        call = unpack_handle(handle)
    except HandleError:
        return False  # kept as it came; its outcome names no call
    facts = {
        USE_CASE: call.use_case,
        CALL_ID: call.call_id,
        CALL_STARTED: str(call.started_unix_nano),
        MODEL_VERSION: call.model_version,
        PROMPT_HASH: call.prompt_version,
        OUTPUT_LABEL: call.label,
        SERVED_BY: call.served_by,
        CONFIDENCE: repr(call.confidence) if call.HasField("confidence") else "",
    }
    said = {each.key for each in attributes}
    attributes.extend(
        KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in facts.items() if text and key not in said
    )
    return True

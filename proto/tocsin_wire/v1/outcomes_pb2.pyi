from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CallRef(_message.Message):
    __slots__ = ("use_case", "call_id", "started_unix_nano", "model_version", "prompt_version", "label", "value", "confidence", "weight", "segments", "served_by", "is_probe", "key", "response_id")
    class SegmentsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USE_CASE_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_UNIX_NANO_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    SERVED_BY_FIELD_NUMBER: _ClassVar[int]
    IS_PROBE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_ID_FIELD_NUMBER: _ClassVar[int]
    use_case: str
    call_id: str
    started_unix_nano: int
    model_version: str
    prompt_version: str
    label: str
    value: float
    confidence: float
    weight: float
    segments: _containers.ScalarMap[str, str]
    served_by: str
    is_probe: bool
    key: str
    response_id: str
    def __init__(self, use_case: _Optional[str] = ..., call_id: _Optional[str] = ..., started_unix_nano: _Optional[int] = ..., model_version: _Optional[str] = ..., prompt_version: _Optional[str] = ..., label: _Optional[str] = ..., value: _Optional[float] = ..., confidence: _Optional[float] = ..., weight: _Optional[float] = ..., segments: _Optional[_Mapping[str, str]] = ..., served_by: _Optional[str] = ..., is_probe: bool = ..., key: _Optional[str] = ..., response_id: _Optional[str] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("handle", "call", "kind", "source", "outcome_id", "observed_unix_nano", "label", "value", "score", "correct", "minutes", "author", "comment")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_ID_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_UNIX_NANO_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CORRECT_FIELD_NUMBER: _ClassVar[int]
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    handle: str
    call: CallRef
    kind: str
    source: str
    outcome_id: str
    observed_unix_nano: int
    label: str
    value: float
    score: float
    correct: bool
    minutes: float
    author: str
    comment: str
    def __init__(self, handle: _Optional[str] = ..., call: _Optional[_Union[CallRef, _Mapping]] = ..., kind: _Optional[str] = ..., source: _Optional[str] = ..., outcome_id: _Optional[str] = ..., observed_unix_nano: _Optional[int] = ..., label: _Optional[str] = ..., value: _Optional[float] = ..., score: _Optional[float] = ..., correct: bool = ..., minutes: _Optional[float] = ..., author: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class RecordOutcomesRequest(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[Outcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[Outcome, _Mapping]]] = ...) -> None: ...

class RecordOutcomesResponse(_message.Message):
    __slots__ = ("accepted", "rejected", "errors")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    rejected: int
    errors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, accepted: _Optional[int] = ..., rejected: _Optional[int] = ..., errors: _Optional[_Iterable[str]] = ...) -> None: ...

"""Messages of flagd's ``flagd.sync.v1.FlagSyncService``, built in a pool of their own.

The OpenFeature flagd provider ships generated stubs of the same messages; two copies in the default pool crash with
"duplicate symbol". Source: flagd's sync.proto (https://flagd.dev/reference/specifications/protos/).
"""

from typing import Any, Final

from google.protobuf import struct_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

SERVICE: Final = "flagd.sync.v1.FlagSyncService"
SYNC_FLAGS: Final = "SyncFlags"
FETCH_ALL_FLAGS: Final = "FetchAllFlags"

_PACKAGE: Final = "flagd.sync.v1"
_STRING: Final = FieldDescriptorProto.TYPE_STRING
_STRUCT: Final = ".google.protobuf.Struct"
_MESSAGES: Final[dict[str, dict[str, tuple[int, str | None]]]] = {
    "SyncFlagsRequest": {"provider_id": (1, None), "selector": (2, None)},
    "SyncFlagsResponse": {"flag_configuration": (1, None), "sync_context": (2, _STRUCT)},
    "FetchAllFlagsRequest": {"provider_id": (1, None), "selector": (2, None)},
    "FetchAllFlagsResponse": {"flag_configuration": (1, None)},
}


def _build() -> dict[str, Any]:
    file = FileDescriptorProto(
        name="flagd/sync/v1/sync.proto", package=_PACKAGE, syntax="proto3", dependency=["google/protobuf/struct.proto"]
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, type_name) in fields.items():
            message.field.add(
                name=field,
                number=number,
                label=FieldDescriptorProto.LABEL_OPTIONAL,
                type=FieldDescriptorProto.TYPE_MESSAGE if type_name else _STRING,
                type_name=type_name,
            )
    pool = DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES}


_classes: Final = _build()
SyncFlagsRequest: Final[Any] = _classes["SyncFlagsRequest"]
SyncFlagsResponse: Final[Any] = _classes["SyncFlagsResponse"]
FetchAllFlagsRequest: Final[Any] = _classes["FetchAllFlagsRequest"]
FetchAllFlagsResponse: Final[Any] = _classes["FetchAllFlagsResponse"]

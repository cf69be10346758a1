"""How a spool segment becomes rows: the schema, the structure and the SELECT that the engine decodes it with."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final, Literal, TypeAlias

from tocsin_collector.load.redacting import redacted
from tocsin_collector.privacy.redaction import Redaction

Kind: TypeAlias = Literal["traces", "outcomes", "logs"]

# One segment is one block is one insert: what makes a retry with the same token find every target as it left it.
# It is read and flattened in pieces, which the insert puts together: taken apart whole, 32 MiB would need 280 MB.
# Compiling expressions costs seconds on the first insert and gains nothing on blocks of this size.
BLOCK_SETTINGS: Final[Mapping[str, str | int]] = {
    "max_threads": 1,
    "max_insert_threads": 1,
    "max_block_size": 1_000_000,
    "max_insert_block_size": 1_000_000,
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 0,
    "input_format_max_block_size_bytes": 16 * 1024 * 1024,
    # A disk that fills up in the middle of an insert once left a part whose marks were empty: it is not begun, then.
    "min_free_disk_bytes_to_perform_insert": 32 * 1024 * 1024,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_partitions_per_insert_block": 0,
    "materialize_skip_indexes_on_insert": 0,
    "parallel_view_processing": 0,
    "compile_expressions": 0,
    "query_plan_merge_expressions": 0,  # 50 ms of every insert otherwise, for nothing on nested types
}

_ONEOF: Final = (
    "Enum8('none' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4,"
    " 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7)"
)
_SCALARS: Final = f"value {_ONEOF}, string_value String, bool_value Bool, int_value Int64, double_value Float64"
_ELEMENT: Final = f"Tuple({_SCALARS}, array_value String, kvlist_value String, bytes_value String)"
_ANY: Final = (
    f"Tuple({_SCALARS}, array_value Tuple(values Array({_ELEMENT})),"
    f" kvlist_value Tuple(values Array(Tuple(key String, value {_ELEMENT}))), bytes_value String)"
)
_PAIRS: Final = f"Array(Tuple(key LowCardinality(String), value {_ANY}))"
_PLAIN_PAIRS: Final = f"Array(Tuple(key LowCardinality(String), value {_ELEMENT}))"
_SPAN: Final = (
    "Tuple(trace_id String, span_id String, trace_state String, parent_span_id String, name String, kind Int32,"
    f" start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes {_PAIRS},"
    f" events Array(Tuple(time_unix_nano UInt64, name String, attributes {_PLAIN_PAIRS})),"
    f" links Array(Tuple(trace_id String, span_id String, trace_state String, attributes {_PLAIN_PAIRS})),"
    " status Tuple(message String, code Int32))"
)
_ENVELOPE: Final = "project String, received_ns UInt64, digest String"
_TRACES: Final = (
    f"resource_spans Array(Tuple(resource Tuple(attributes {_PAIRS}),"
    f" scope_spans Array(Tuple(scope Tuple(name String, version String), spans Array({_SPAN}))))), {_ENVELOPE}"
)

_OUTCOMES: Final = (
    "outcomes Array(Tuple(call Tuple(use_case String, call_id String, started_unix_nano UInt64, model_version String,"
    " prompt_version String, output Enum8('none' = 0, 'label' = 6, 'value' = 7), label String, value Float64,"
    " has_confidence Enum8('none' = 0, 'confidence' = 8), confidence Float64,"
    " has_weight Enum8('none' = 0, 'weight' = 9), weight Float64,"
    " segments Array(Tuple(key LowCardinality(String), value String)), served_by String, is_probe Bool, key String,"
    " response_id String),"
    " kind String, source String, outcome_id String, observed_unix_nano UInt64,"
    " truth Enum8('none' = 0, 'label' = 7, 'value' = 8), label String, value Float64,"
    " has_score Enum8('none' = 0, 'score' = 9), score Float64, has_correct Enum8('none' = 0, 'correct' = 10), correct Bool,"
    " has_minutes Enum8('none' = 0, 'minutes' = 11), minutes Float64, author String, comment String)),"
    f" {_ENVELOPE}"
)

_RECORD: Final = (
    "Tuple(time_unix_nano UInt64, severity_number Int32, severity_text String,"
    f" body {_ANY}, attributes {_PAIRS}, flags UInt32, trace_id String, span_id String, observed_time_unix_nano UInt64,"
    " event_name String)"
)
_LOGS: Final = (
    f"resource_logs Array(Tuple(resource Tuple(attributes {_PAIRS}), scope_logs Array(Tuple("
    f"scope Tuple(name String, version String, attributes {_PLAIN_PAIRS}), log_records Array({_RECORD}),"
    f" schema_url String)), schema_url String)), {_ENVELOPE}"
)

# An element of a list or map, printed as JSON; what nests deeper is its protobuf bytes in base64: lossless.
_JSON: Final = (
    "multiIf({e}.value = 'string_value', toJSONString({e}.string_value), {e}.value = 'int_value', toString({e}.int_value),"
    " {e}.value = 'double_value', toString({e}.double_value), {e}.value = 'bool_value', toString({e}.bool_value),"
    " {e}.value = 'none', 'null',"
    " concat('\"', base64Encode(concat({e}.array_value, {e}.kvlist_value, {e}.bytes_value)), '\"'))"
)
_SCALAR_TEXT: Final = "t = 'string_value', s, t = 'int_value', toString(i), t = 'double_value', toString(d), t = 'bool_value', toString(b)"
_SCALAR_COLUMNS: Final = (
    "{x}.value.value, {x}.value.string_value, {x}.value.int_value, {x}.value.double_value, {x}.value.bool_value"
)
_TEXTS: Final = (
    f"arrayMap((t, s, i, d, b, l, m, y) -> multiIf({_SCALAR_TEXT},"
    f" t = 'array_value', concat('[', arrayStringConcat(arrayMap(e -> {_JSON.format(e='e')}, l), ','), ']'),"
    " t = 'kvlist_value', concat('{{', arrayStringConcat("
    f"arrayMap(e -> concat(toJSONString(e.key), ':', {_JSON.format(e='e.value')}), m), ','), '}}}}'),"
    f" base64Encode(y)), {_SCALAR_COLUMNS},"
    " {x}.value.array_value.values, {x}.value.kvlist_value.values, {x}.value.bytes_value)"
)
_PLAIN_TEXTS: Final = (
    f"arrayMap((t, s, i, d, b, l, m, y) -> multiIf({_SCALAR_TEXT}, base64Encode(concat(l, m, y))), {_SCALAR_COLUMNS},"
    " {x}.value.array_value, {x}.value.kvlist_value, {x}.value.bytes_value)"
)


_VALUE_TEXTS: Final = _TEXTS.replace("{x}.value.", "{x}.")  # of values that stand alone, without their keys
_COMMENTS: Final = r"/\*(?s:.*?)\*/\s*|(?m:^\s*--.*\n)"  # parsed anew by every insert, and they name placeholders


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """The decoding of one kind of segment."""

    target: str  # the Null table whose views fan out
    select: str
    structure: str
    settings: Mapping[str, str | int]

    def query(self, path: Path, segment: str) -> str:
        """Write the SELECT that decodes a segment's file; name and hash are ours, never a client's."""
        file = f"file({_quoted(str(path))}, 'Protobuf', {_quoted(self.structure)})"
        return self.select.replace("${file}", file).replace("${segment}", _quoted(segment))

    def clause(self, *, token: str = "") -> str:
        """Write the SETTINGS clause. In the text, since the embedded engine takes each setting beside it as a query."""
        settings = {**self.settings, **BLOCK_SETTINGS}
        if token:
            settings["insert_deduplication_token"] = token
        listed = ", ".join(f"{name} = {_quoted(v) if isinstance(v, str) else v}" for name, v in settings.items())
        return f"SETTINGS {listed}"


def decoder(kind: Kind, redactions: Sequence[Redaction] = ()) -> Decoder:
    """Read the shipped decoding of a kind of segment, with the rules that texts go through."""
    folder = resources.files("tocsin_collector").joinpath("decode")
    schema, select, structure, target = {
        "traces": ("otlp.proto", "spans.sql", _TRACES, "spans_in"),
        "outcomes": ("outcomes.proto", "outcomes.sql", _OUTCOMES, "outcomes_in"),
        "logs": ("logs.proto", "logs.sql", _LOGS, "logs_in"),
    }[kind]
    text = re.sub(_COMMENTS, "", folder.joinpath(select).read_text(encoding="utf-8"))
    return Decoder(
        target=target,
        select=redacted(re.sub(r"\$\{(texts|plain|values):([a-z_.]+)\}", _expand, text), target, redactions),
        structure=structure,
        # Named by its file: given as text, the engine would write a copy into whatever folder the process was started in.
        settings={"format_schema": f"{folder.joinpath(schema)}:Request", "input_format_protobuf_oneof_presence": 1},
    )


def _expand(found: re.Match[str]) -> str:
    return {"texts": _TEXTS, "plain": _PLAIN_TEXTS, "values": _VALUE_TEXTS}[found[1]].format(x=found[2])


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

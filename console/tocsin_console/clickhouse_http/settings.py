"""What a client may set: formats and time zones as it likes, limits only downwards, the rest not at all.

A setting that changes the answer is never silently ignored: it is honoured, or refused as ClickHouse refuses it.
"""

import re
from collections.abc import Mapping
from typing import Final

from tocsin_console.clickhouse_http.exceptions import BAD_ARGUMENTS, READONLY, QueryFailed

MAX_EXECUTION_S: Final = 20
MAX_MEMORY_BYTES: Final = 1 << 30
MAX_THREADS: Final = 2

# What clients say about the transport or about writing; none of it changes what a SELECT answers.
IGNORED: Final = frozenset(
    {
        "allow_experimental_analyzer", "async_insert", "buffer_size", "cancel_http_readonly_queries_on_client_close",
        "cast_string_to_dynamic_use_inference", "client_name", "client_protocol_version", "compress", "connect_timeout",
        "custom_http_params", "database", "date_time_input_format", "decompress", "default_format",
        "enable_http_compression", "http_headers_progress_interval_ms", "http_native_compression_disable_checksumming_on_decompress",
        "http_zlib_compression_level", "input_format_null_as_default", "insert_deduplicate", "insert_quorum", "limit_rows",
        "log_comment", "log_queries", "network_compression_method", "password", "priority", "query", "query_id",
        "quota_key", "receive_timeout", "role", "send_progress_in_http_headers", "send_timeout", "session_check",
        "session_id", "session_timeout", "socket_timeout", "stacktrace", "use_client_time_zone", "user",
        "wait_end_of_query", "wait_for_async_insert",
    }
)  # fmt: skip
_HONOURED: Final = frozenset(
    {
        "aggregate_functions_null_for_empty", "any_join_distinct_right_table_keys", "bool_false_representation",
        "bool_true_representation", "cross_join_min_rows_to_compress", "date_time_output_format",
        "decimal_check_overflow", "empty_result_for_aggregation_by_empty_set", "except_default_mode", "extremes",
        "final", "format_binary_max_array_size", "format_csv_delimiter", "format_csv_null_representation",
        "format_tsv_null_representation", "group_by_use_nulls", "intersect_default_mode", "join_algorithm",
        "join_default_strictness", "join_use_nulls", "joined_subquery_requires_alias",
        "low_cardinality_allow_in_native_format", "prefer_column_name_to_alias", "session_timezone",
        "show_table_uuid_in_table_create_query_if_not_nil", "totals_mode", "transform_null_in", "union_default_mode",
    }
)  # fmt: skip
# Not all of output_format_*: output_format_schema names a file that the engine would write.
_HONOURED_PREFIXES: Final = tuple(
    f"output_format_{kind}_"
    for kind in ("arrow", "binary", "csv", "decimal", "float", "json", "markdown", "native", "parquet", "pretty", "tsv")
)
_LOWERED: Final = {
    "max_block_size": 65_409,
    "max_bytes_to_read": 1 << 50,
    "max_execution_time": MAX_EXECUTION_S,
    "max_memory_usage": MAX_MEMORY_BYTES,
    "max_query_size": 262_144,
    "max_rows_to_read": 1 << 50,
    "max_threads": MAX_THREADS,
    "offset": 1 << 62,
    "limit": 1 << 62,
}
_RESULT_LIMITS: Final = ("max_result_rows", "max_result_bytes")
_VALUE = re.compile(r"^[^\x00-\x1f\x7f]{0,200}$")


def engine_settings(asked: Mapping[str, str], *, max_rows: int, max_bytes: int) -> dict[str, str]:
    """Turn what a client asked for into what the engine is set to.

    Args:
        asked: Names and values from the URL, parameters of the query apart.
        max_rows: The most rows that an answer may have.
        max_bytes: The most bytes that an answer may have.

    Raises:
        QueryFailed: it asks for a setting that is not offered, or for a value that is none.
    """
    chosen = {
        "max_execution_time": str(MAX_EXECUTION_S),
        "max_memory_usage": str(MAX_MEMORY_BYTES),
        "max_threads": str(MAX_THREADS),
        "max_block_size": "65409",
        "max_result_rows": str(max_rows),
        "max_result_bytes": str(max_bytes),
        "result_overflow_mode": "throw",
        "session_timezone": "UTC",
        "enable_http_compression": "1",  # so that clients which read system.settings ask for it
        "allow_ddl": "0",
    }
    limits = {**_LOWERED, "max_result_rows": max_rows, "max_result_bytes": max_bytes}
    for name, value in asked.items():
        if name in IGNORED:
            continue
        if name in limits:
            chosen[name] = str(_lowered(name, value, limits[name]))
        elif name == "result_overflow_mode" and value in {"throw", "break"}:
            chosen[name] = value
        elif name == "readonly" and value in {"1", "2"}:
            continue  # it is, whatever a client says
        elif (name in _HONOURED or name.startswith(_HONOURED_PREFIXES)) and _VALUE.match(value):
            chosen[name] = value
        else:
            raise QueryFailed(READONLY, f"Cannot modify '{name}' setting in readonly mode: leave it out of the request")
    return chosen


def _lowered(name: str, value: str, most: int) -> int:
    try:
        number = int(float(value))
    except (ValueError, OverflowError) as error:
        raise QueryFailed(BAD_ARGUMENTS, f"expected a number for {name}, got {value[:40]!r}") from error
    if number <= 0:  # ClickHouse's way of saying "no limit"
        return 0 if name in {"limit", "offset", "max_rows_to_read", "max_bytes_to_read"} else most
    return max(1, min(number, most))

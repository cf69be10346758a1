"""Which formats are answered, which of them flow block by block, and how blocks are joined."""

from collections.abc import Callable
from typing import Final

from tocsin_console.clickhouse_http.exceptions import UNKNOWN_FORMAT, QueryFailed

_TSV: Final = "text/tab-separated-values; charset=UTF-8"
_CSV: Final = "text/csv; charset=UTF-8; header="
_JSON: Final = "application/json; charset=UTF-8"
_LINES: Final = "application/x-ndjson; charset=UTF-8"
_TEXT: Final = "text/plain; charset=UTF-8"
_BYTES: Final = "application/octet-stream"

# A format that needs a schema or a template would read a file; those that speak a wire protocol make no sense here.
_STREAMED: Final = {
    "Native": _BYTES, "RowBinary": _BYTES, "RowBinaryWithNames": _BYTES, "RowBinaryWithNamesAndTypes": _BYTES,
    "TabSeparated": _TSV, "TSV": _TSV, "TabSeparatedRaw": _TSV, "TSVRaw": _TSV, "Raw": _TSV,
    "TabSeparatedWithNames": _TSV, "TSVWithNames": _TSV, "TabSeparatedWithNamesAndTypes": _TSV,
    "TSVWithNamesAndTypes": _TSV, "TabSeparatedRawWithNames": _TSV, "TSVRawWithNames": _TSV,
    "TabSeparatedRawWithNamesAndTypes": _TSV, "TSVRawWithNamesAndTypes": _TSV,
    "CSV": f"{_CSV}absent", "CSVWithNames": f"{_CSV}present", "CSVWithNamesAndTypes": f"{_CSV}present",
    "JSONEachRow": _LINES, "JSONLines": _LINES, "NDJSON": _LINES, "JSONStringsEachRow": _LINES,
    "JSONCompactEachRow": _LINES, "JSONCompactStringsEachRow": _LINES,
    "JSONCompactEachRowWithNames": _LINES, "JSONCompactEachRowWithNamesAndTypes": _LINES,
    "JSONCompactStringsEachRowWithNames": _LINES, "JSONCompactStringsEachRowWithNamesAndTypes": _LINES,
    "TSKV": _TSV, "LineAsString": _TEXT, "Null": _TEXT,
}  # fmt: skip
_WHOLE: Final = {
    "JSON": _JSON, "JSONStrings": _JSON, "JSONCompact": _JSON, "JSONCompactStrings": _JSON, "JSONColumns": _JSON,
    "JSONCompactColumns": _JSON, "JSONColumnsWithMetadata": _JSON, "JSONObjectEachRow": _JSON,
    "Pretty": _TEXT, "PrettyCompact": _TEXT, "PrettyCompactMonoBlock": _TEXT, "PrettyMonoBlock": _TEXT,
    "PrettyNoEscapes": _TEXT, "PrettyCompactNoEscapes": _TEXT, "PrettySpace": _TEXT, "Vertical": _TEXT,
    "Markdown": "text/markdown; charset=UTF-8", "XML": "application/xml; charset=UTF-8", "Values": _TEXT,
    "Parquet": _BYTES, "Arrow": _BYTES, "ArrowStream": _BYTES, "ORC": _BYTES, "MsgPack": _BYTES, "Avro": _BYTES,
}  # fmt: skip
_KNOWN: Final = {name.lower(): name for name in (*_STREAMED, *_WHOLE)}


def known(name: str) -> str:
    """Give a format's own spelling.

    Raises:
        QueryFailed: it is not one that is answered here.
    """
    found = _KNOWN.get(name.lower())
    if found is None:
        raise QueryFailed(
            UNKNOWN_FORMAT, f"Unknown or not offered format {name[:40]!r}: ask for JSON, CSVWithNames or Native"
        )
    return found


def is_streamed(name: str) -> bool:
    """Whether an answer in this format can be sent block by block; others are made whole first, within a limit."""
    return name in _STREAMED


def content_type(name: str) -> str:
    """Say how HTTP calls this format."""
    return _STREAMED.get(name) or _WHOLE[name]


def joiner(name: str) -> Callable[[bytes], bytes]:
    """Give what each block goes through in turn: the engine writes names and types before every one of them."""
    if "WithNames" not in name:
        return lambda block: block
    lines = 2 if name.endswith("AndTypes") else 1
    header_bytes: int | None = None

    def without_repeated_header(block: bytes) -> bytes:
        nonlocal header_bytes
        if header_bytes is None:
            header_bytes = _header_size(name, lines, block)
            return block
        return block[header_bytes:]

    return without_repeated_header


def _header_size(name: str, lines: int, block: bytes) -> int:
    if name.startswith("RowBinary"):
        return _binary_header_size(lines, block)
    at, quoted = 0, False
    for position, byte in enumerate(block):
        if byte == 0x22 and name.startswith("CSV"):  # a quoted name may hold a line end
            quoted = not quoted
        elif byte == 0x0A and not quoted:
            at, lines = position + 1, lines - 1
            if not lines:
                break
    return at


def _binary_header_size(lists: int, block: bytes) -> int:
    count, at = varint(block, 0)
    for _ in range(count * lists):
        size, at = varint(block, at)
        at += size
    return at


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Read one LEB128 number; return it and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7

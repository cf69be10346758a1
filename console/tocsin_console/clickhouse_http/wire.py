"""From the engine's blocks to the body: joined, in the protocol's revision, in ClickHouse's compressed blocks."""

from collections.abc import Iterator

from tocsin_console.clickhouse_http import formats
from tocsin_console.clickhouse_http.blocks import compressed
from tocsin_console.clickhouse_http.native import revised
from tocsin_console.clickhouse_http.request import Request


def encoded(blocks: Iterator[bytes], asked: Request) -> Iterator[bytes]:
    """Turn the engine's blocks into those of the body."""
    if asked.question.is_streamed:
        blocks = map(formats.joiner(asked.question.format), blocks)
    if asked.question.format == "Native" and asked.protocol_version:
        blocks = (revised(block, asked.protocol_version) for block in blocks)
    if asked.is_blocked:
        blocks = (b"".join(compressed(block)) for block in blocks)
    return blocks

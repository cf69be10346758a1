"""From the engine's blocks to the body: joined, in the protocol's revision, in ClickHouse's compressed blocks."""

from collections.abc import Iterator

from tocsin_console.clickhouse_http import formats
from tocsin_console.clickhouse_http.request import Request


def encoded(blocks: Iterator[bytes], asked: Request) -> Iterator[bytes]:
    """Turn the engine's blocks into those of the body."""
    if asked.question.is_streamed:
        join = formats.joiner(asked.question.format)
        blocks = map(join, blocks)
    return blocks

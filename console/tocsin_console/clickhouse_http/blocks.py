"""ClickHouse's own compressed blocks, which drivers ask for with ``compress=1``."""

from collections.abc import Iterator
from struct import pack
from typing import Any, Final

from tocsin_console.clickhouse_http.cityhash import checksum

_SIZE: Final = 64 << 10
_LZ4: Final = 0x82
_HEADER_BYTES: Final = 9  # method, size with this header, size before


def compressed(data: bytes) -> Iterator[bytes]:
    """Compress a piece of a body into blocks: checksum, method, two sizes, bytes."""
    import lz4.block

    pack_block: Any = lz4.block.compress
    for start in range(0, len(data), _SIZE):
        piece = data[start : start + _SIZE]
        packed = bytes(pack_block(piece, store_size=False))
        block = pack("<BII", _LZ4, len(packed) + _HEADER_BYTES, len(piece)) + packed
        yield checksum(block) + block

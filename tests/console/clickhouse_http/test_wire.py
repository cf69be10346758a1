"""Bytes as Go's and Java's drivers want them: revisions of Native, and ClickHouse's compressed blocks."""

import contextlib
import os
import socket
import struct
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import lz4.block
import pytest
from tests.console.clickhouse_http.conftest import Endpoint

from tocsin_console.clickhouse_http.cityhash import checksum
from tocsin_console.clickhouse_http.exceptions import QueryFailed
from tocsin_console.clickhouse_http.native import revised

GO_REVISION = 54_460
GO_HELLO = "SELECT displayName(), version(), revision(), timezone()"
EVERY_TYPE = (
    "SELECT number AS n, repeat(toString(number), 200) AS s, [number, 2] AS a, map('k', number) AS m, "
    "toNullable(number) AS x, (1, 'a') AS t, toDecimal64(1.5, 3) AS d, toDecimal128(1.5, 20) AS d2, "
    "toFixedString('abc', 5) AS f, toDateTime64(number, 3, 'UTC') AS dt, toDate(number) AS day, "
    "CAST(1, 'Enum8(\\'a, (b\\' = 1)') AS e, [map('x', [(toUInt8(1), NULL)])] AS deep, toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS u, "
    "CAST((1, 'q'), 'Tuple(a UInt8, `b, c` String)') AS named, [[], ['z']] AS jagged, NULL AS nothing, toIPv4('127.0.0.1') AS ip, "
    "toLowCardinality(toString(number)) AS lc, toLowCardinality(toNullable(if(number = 1, NULL, 'x'))) AS lcn, "
    "[toLowCardinality('q'), toLowCardinality(toString(number))] AS lca, CAST(map('k', 'v'), 'Map(LowCardinality(String), LowCardinality(String))') AS lcm, "
    "CAST([], 'Array(LowCardinality(String))') AS lce "
    "FROM numbers(3)"
)


def unblocked(data: bytes) -> bytes:
    """Read ClickHouse's compressed blocks as a driver does."""
    out, at = b"", 0
    while at < len(data):
        method, packed, size = struct.unpack_from("<BII", data, at + 16)
        block = data[at + 16 : at + 16 + packed]
        assert method == 0x82
        assert checksum(block) == data[at : at + 16]
        out += lz4.block.decompress(block[9:], uncompressed_size=size)
        at += 16 + packed
    return out


def test_gos_handshake_is_answered_in_its_revision(endpoint: Endpoint) -> None:
    """Grafana's plugin reads the block's info and each column's serialisation byte before anything else."""
    body = endpoint.ask(GO_HELLO, default_format="Native", client_protocol_version=GO_REVISION).data

    assert body.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0ddisplayName()\x06String\x00")
    assert body.endswith(b"\x0atimezone()\x06String\x00\x03UTC")


def test_an_older_revision_has_no_serialisation_byte(endpoint: Endpoint) -> None:
    """clickhouse-connect asks for 54405."""
    body = endpoint.ask("SELECT 1 AS check", default_format="Native", client_protocol_version=54_405).data

    assert body == b"\x01\x00\x02\xff\xff\xff\xff\x00\x01\x01\x05check\x05UInt8\x01"


def test_what_cannot_be_told_apart_is_refused_with_a_way_out() -> None:
    """A state of an aggregate function has no length."""
    block = b"\x01\x01\x01s" + bytes([len(name := b"AggregateFunction(sum, UInt8)")]) + name + b"\x01"

    with pytest.raises(QueryFailed, match="toString"):
        revised(block, GO_REVISION)


@pytest.mark.parametrize("size", [8, 15, 16, 17, 31, 100, 127, 128, 143, 144, 300, 5000])
def test_checksums_differ_for_every_length(size: int) -> None:
    """Each length class of the hash has its own code."""
    assert len({checksum(bytes([n]) * size) for n in range(8)}) == 8


def test_a_checksum_is_clickhouses() -> None:
    """Of a block that ClickHouse 24.10 sent for SELECT 1 with compress=1, and of a hundred letters."""
    assert checksum(b"x" * 100).hex() == "f2f914d0245856acac04bf2d225b21a6"
    assert checksum(bytes.fromhex("820c0000000200000020310a")).hex() == "de79cf087fb635049db816df195b016b"


def test_javas_drivers_read_compressed_blocks_and_errors(endpoint: Endpoint) -> None:
    """JDBC, and so DBeaver, asks for compress=1 and reads errors the same way."""
    rows = endpoint.ask("SELECT number FROM numbers(50000)", compress=1)
    failure = endpoint.ask("SELECT nope", compress=1)

    assert unblocked(rows.data) == b"".join(b"%d\n" % n for n in range(50_000))
    assert failure.status == 404
    assert unblocked(failure.data).startswith(b"Code: 47. DB::Exception: ")


@pytest.fixture(scope="module")
def server(clickhouse_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real ClickHouse, to compare bytes with."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "config.xml"
    config.write_text(
        f"<clickhouse><logger><level>error</level><console>1</console></logger><listen_host>127.0.0.1</listen_host>"
        f"<http_port>{port}</http_port><path>{folder}/data/</path><timezone>UTC</timezone><mark_cache_size>1048576</mark_cache_size>"
        f"<profiles><default/></profiles><quotas><default/></quotas><users><default><password/><networks><ip>127.0.0.1</ip>"
        f"</networks><profile>default</profile><quota>default</quota></default></users><user_directories><users_xml>"
        f"<path>{config}</path></users_xml></user_directories></clickhouse>"
    )
    environment = {**os.environ, "CLICKHOUSE_WATCHDOG_ENABLE": "0"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [clickhouse_binary, "server", "--config-file", config], cwd=folder, env=environment, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}ping") as answer:
                answer.read()
                break
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.server
@pytest.mark.parametrize("revision", [54_405, GO_REVISION])
def test_every_type_looks_as_a_server_writes_it(endpoint: Endpoint, server: str, revision: int) -> None:
    """Byte for byte."""
    said = {"default_format": "Native", "client_protocol_version": revision}
    query = urlencode({**said, "query": EVERY_TYPE})

    with urllib.request.urlopen(f"{server}?{query}") as answer:
        theirs = answer.read()

    assert endpoint.ask(EVERY_TYPE, **said).data == theirs


@pytest.mark.server
def test_a_server_takes_our_blocks(endpoint: Endpoint, server: str) -> None:
    """It checks every checksum."""
    block = endpoint.ask("SELECT number FROM numbers(100000)", compress=1, default_format="RowBinary").data
    insert = urlencode({"query": "INSERT INTO FUNCTION null('n UInt64') FORMAT RowBinary", "decompress": 1})

    with urllib.request.urlopen(urllib.request.Request(f"{server}?{insert}", data=block)) as answer:
        summary = answer.headers["x-clickhouse-summary"]

    assert '"written_rows":"100000"' in summary

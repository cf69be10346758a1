"""Clients that people use, against the endpoint."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from tests.console.clickhouse_http.conftest import Endpoint


@pytest.fixture(scope="module")
def client(endpoint: Endpoint) -> Iterator[Any]:
    """clickhouse-connect, connected as to a server."""
    opened = clickhouse_connect.get_client(host=endpoint.address.host, port=endpoint.address.port)
    yield opened
    opened.close()


def test_clickhouse_connect_shakes_hands_and_reads_types(client: Any) -> None:
    """Its handshake asks for version, time zone and settings, and its queries come as Native."""
    found = client.query("SELECT 1 AS a, 'é' AS b, toDecimal64(1.5, 3) AS c, [1, 2] AS d, map('k', 2) AS e, NULL AS f")

    assert found.column_names == ("a", "b", "c", "d", "e", "f")
    assert [str(value) for value in found.result_rows[0]] == ["1", "é", "1.500", "[1, 2]", "{'k': 2}", "None"]


def test_clickhouse_connect_binds_parameters_at_the_server(client: Any) -> None:
    """A value must never become part of the text."""
    told = {"a": "it's {b:String}", "b": [1, 2], "c": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "t": "calls"}

    found = client.query(
        "SELECT {a:String}, {b:Array(UInt8)}, {c:DateTime('UTC')}, count() >= 0 FROM {t:Identifier}", told
    )

    assert found.result_rows == [("it's {b:String}", [1, 2], datetime(2026, 1, 2, 3, 4, 5), 1)]  # noqa: DTZ001


def test_clickhouse_connect_makes_data_frames(client: Any) -> None:
    """Notebooks ask for frames."""
    frame = client.query_df("SELECT number AS n, toString(number) AS s FROM numbers(3)")

    assert frame["n"].sum() == 3
    assert list(frame["s"]) == ["0", "1", "2"]


@pytest.mark.parametrize("compress", [False, "gzip", "zstd", "lz4"])
def test_a_million_rows_flow_in_blocks(endpoint: Endpoint, *, compress: bool | str) -> None:
    """An answer must be readable before it is whole, in every compression that clients ask for."""
    client = clickhouse_connect.get_client(
        host=endpoint.address.host, port=endpoint.address.port, compress=compress, database=endpoint.database
    )

    with client.query_row_block_stream("SELECT number FROM numbers(1000000)") as blocks:
        sizes = [len(block) for block in blocks]

    assert sum(sizes) == 1_000_000
    assert len(sizes) > 10
    client.close()


@pytest.mark.parametrize(
    ("sql", "code"),
    [("SELECT nope", 47), ("SELEC 1", 164), ("SELECT (", 62), ("SELECT * FROM absent", 60), ("DROP TABLE calls", 164)],
)
def test_errors_carry_clickhouses_codes(client: Any, sql: str, code: int) -> None:
    """Clients branch on the number."""
    with pytest.raises(DatabaseError) as caught:
        client.query(sql)

    assert caught.value.code == code


def test_tables_and_columns_can_be_browsed(client: Any, endpoint: Endpoint) -> None:
    """DBeaver, Grafana's query builder and JDBC list databases, tables and columns before anything else."""
    tables = client.query(
        "SELECT t.name FROM system.tables AS t JOIN system.databases AS d ON t.database = d.name "
        "WHERE d.name = currentDatabase()"
    ).result_columns[0]
    columns = client.query("DESCRIBE TABLE calls").result_columns[0]

    assert {"calls", "otel_traces", "quality_daily"} <= set(tables)
    assert "use_case" in columns
    assert endpoint.database in client.query("SHOW DATABASES").result_columns[0]
    assert client.command("SELECT currentUser()") == "default"


def test_the_exporters_own_command_line_reads(endpoint: Endpoint) -> None:
    """A program without any ClickHouse library: what curl would send."""
    script = "import sys, urllib.request as r; print(r.urlopen(r.Request(sys.argv[1], data=b'SELECT 1 AS x FORMAT JSONEachRow')).read().decode())"
    done = subprocess.run([sys.executable, "-c", script, endpoint.url], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == '{"x":1}'


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT currentUser() AS user, timezone() AS timezone, version() AS version LIMIT 1",
        "/* ApplicationName=DBeaver 25.1 - Metadata */ SELECT * FROM system.databases WHERE engine != ''",
        (
            "SELECT '' AS TABLE_CAT, t.database AS TABLE_SCHEM, t.name AS TABLE_NAME, CASE WHEN t.engine LIKE '%View' THEN 'VIEW' "
            "WHEN t.is_temporary = 1 THEN 'TEMPORARY TABLE' ELSE 'TABLE' END AS TABLE_TYPE, t.comment AS REMARKS FROM system.tables t "
            "JOIN system.databases d ON t.database = d.name WHERE t.database LIKE '%' AND t.name LIKE '%' AND TABLE_TYPE IN ('TABLE', 'VIEW')"
        ),
        (
            "SELECT database AS TABLE_SCHEM, table AS TABLE_NAME, name AS COLUMN_NAME, system.columns.type AS TYPE_NAME, "
            "position AS ORDINAL_POSITION, is_in_primary_key FROM system.columns WHERE database ILIKE '%' ORDER BY database, table, position"
        ),
        "SELECT name, alias_to FROM system.data_type_families ORDER BY name",
        "SELECT name, is_aggregate FROM system.functions",
        "SELECT DISTINCT engine FROM system.table_engines AS e, (SELECT 'x' AS engine) AS x",
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = currentDatabase()",
        "SELECT name, value FROM system.settings WHERE name IN ('max_query_size', 'readonly')",
        "SELECT database, table, name, expr FROM system.data_skipping_indices",
        "SHOW TABLES",
        "SHOW CREATE TABLE otel_traces",
        "DESCRIBE TABLE otel_traces;",
        "EXISTS TABLE otel_traces",
        "EXPLAIN indexes = 1 SELECT count() FROM otel_traces",
    ],
)
def test_what_drivers_and_browsers_ask_at_the_start_is_answered(endpoint: Endpoint, sql: str) -> None:
    """As JDBC asks: in compressed blocks of typed rows."""
    said = {
        "compress": 1,
        "default_format": "RowBinaryWithNamesAndTypes",
        "wait_end_of_query": 0,
        "session_timezone": "UTC",
    }

    answer = endpoint.ask(sql, headers={"authorization": "Basic ZGVmYXVsdDo="}, **said)

    assert answer.status == 200, answer.data
    assert answer.headers["x-clickhouse-format"] == "RowBinaryWithNamesAndTypes"
    assert len(answer.data) > 20

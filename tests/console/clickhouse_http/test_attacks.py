"""What a reader must not be able to do, however it is asked."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.console.clickhouse_http.conftest import Endpoint, Opened

from tocsin_collector.store.database import Database

SECRET = "do not read me"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('{secret}', 'LineAsString')",
        "SELECT file('{secret}')",
        "/* a */ SELECT/**/file('{secret}')",
        "SELECT * FROM -- numbers(1)\n file('{secret}', 'LineAsString')",
        "SELECT '/*', * FROM file('{secret}', 'LineAsString') --*/",
        "SELECT $$ -- $$, * FROM file('{secret}', 'LineAsString')",
        "SELECT # x\n * FROM file('{secret}', 'LineAsString')",
        "WITH a AS (SELECT * FROM file('{secret}', 'LineAsString')) SELECT * FROM a",
        "WITH (SELECT file('{secret}')) AS a SELECT a",
        "SELECT * FROM view(SELECT * FROM file('{secret}', 'LineAsString'))",
        "SELECT * FROM (SELECT 1) AS x ARRAY JOIN [file('{secret}')] AS y",
        "SELECT 1 WHERE 1 IN (SELECT length(file('{secret}')))",
        "SELECT 1 ORDER BY file('{secret}')",
        "SELECT 1 LIMIT length(file('{secret}'))",
        "SELECT * FROM default.`{secret}`",
        "SELECT * FROM `default`.`{secret}`",
        "SELECT 1 IN (system.users)",
        "SELECT 1 IN ((system.users))",
        "SELECT 1 WHERE (1, 2) IN (system.users)",
        "SELECT 1 IN default.`{secret}`",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
        "SELECT * FROM s3('http://127.0.0.1:1/x', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1', 'system.one')",
        "SELECT hasColumnInTable('127.0.0.1', 'u', 'p', 'd', 't', 'c')",
        "SELECT reverseDNSQuery('127.0.0.1')",
        "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
        "SELECT * FROM sqlite('{secret}', 't')",
        "SELECT * FROM merge('system', 'users')",
        "SELECT * FROM cluster('default', system.one)",
        "SELECT * FROM executable('sh -c id', 'TSV', 'x String')",
        "SELECT * FROM Python(df)",
        "SELECT * FROM loop(system.one)",
        "SELECT dictGet('d', 'a', 1)",
        "SELECT dictGetOrDefault('d', 'a', 1, 2)",
        "SELECT joinGet('t', 'a', 1)",
        "SELECT sleep(3)",
        "SELECT sleepEachRow(1) FROM numbers(100)",
        "SELECT count() FROM system.users",
        "SELECT * FROM system.processes",
        "SELECT * FROM ingest_keys",
        "SELECT 1 IN ingest_keys",
        "SELECT * FROM system.server_settings",
        "SELECT * FROM system.named_collections",
        "SELECT * FROM system.stack_trace",
        "SELECT 1 INTO OUTFILE '{secret}.out'",
        "SELECT 1 INTO OUTFILE '{secret}.out' FORMAT CSV",
        "SELECT 1 INTO OUTFILE '{secret}.out' TRUNCATE FORMAT CSV",
        "(SELECT 1 INTO OUTFILE '{secret}.out')",
        "SELECT 1 FORMAT CSV INTO/**/OUTFILE '{secret}.out'",
        "DESCRIBE calls FORMAT CSV into outfile '{secret}.out'",
        "EXPLAIN SELECT 1 INTO OUTFILE '{secret}.out'",
        "SELECT 1 FORMAT CSV INTO OUTFILE '{secret}.out'",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
        "SELECT 1 FORMAT CSV SETTINGS max_memory_usage = 0",
        "SELECT 1 FORMAT CSV FORMAT JSON",
        "SELECT 1; SELECT 2",
        "SELECT 1;; DROP TABLE otel_traces",
        "SELECT ';' AS a; DROP TABLE otel_traces",
        "SET readonly = 0",
        "USE system",
        "KILL QUERY WHERE 1",
        "SYSTEM SHUTDOWN",
        "SYSTEM FLUSH LOGS",
        "ATTACH TABLE x",
        "DETACH TABLE calls",
        "RENAME TABLE ai_calls TO x",
        "TRUNCATE TABLE ai_calls",
        "OPTIMIZE TABLE ai_calls",
        "ALTER TABLE ai_calls DELETE WHERE 1",
        "DELETE FROM ai_calls WHERE 1",
        "UPDATE ai_calls SET use_case = '' WHERE 1",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "CREATE FUNCTION f AS x -> file(x)",
        "CREATE NAMED COLLECTION c AS a = 1",
        "INSERT INTO FUNCTION file('{secret}.out', 'CSV', 'a Int8') SELECT 1",
        "INSERT INTO ai_calls SELECT * FROM ai_calls",
        "GRANT ALL ON *.* TO default",
        "BACKUP TABLE ai_calls TO Disk('d', 'x')",
        "EXECUTE AS default SELECT 1",
        "SHOW PROCESSLIST",
        "WATCH calls",
        "CHECK TABLE ai_calls",
        "EXPLAIN PLAN readonly = 0 SELECT 1",
        "EXPLAIN indexes = 1 SELECT 1 SETTINGS max_execution_time = 0",
        "EXPLAIN SYNTAX SELECT file('{secret}')",
        "SELECT 1 PARALLEL WITH SELECT 2",
        "FROM file('{secret}', 'LineAsString') SELECT *",
        "FROM numbers(1) SELECT file('{secret}')",
        "DESCRIBE file('{secret}')",
        "DESCRIBE (SELECT file('{secret}'))",
        "EXISTS DATABASE x; DROP TABLE calls",
    ],
)
def test_whatever_does_more_than_read_tables_is_refused(endpoint: Endpoint, tmp_path: Path, sql: str) -> None:
    """In one sentence, with ClickHouse's code for it, and without having done any of it."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET)

    answer = endpoint.ask(sql.replace("{secret}", str(secret)))

    assert answer.status >= 400, answer.data
    assert answer.headers["x-clickhouse-exception-code"] in {"164", "62", "115"}, answer.data
    assert SECRET.encode() not in answer.data
    assert not secret.with_name("secret.out").exists()
    assert endpoint.ask("EXISTS TABLE otel_traces").data == b"1\n"


@pytest.mark.parametrize(
    "said",
    [
        {"default_format": "Template"},
        {"default_format": "Protobuf"},
        {"default_format": "CSV INTO OUTFILE 'x'"},
        {"default_format": "CSV'; DROP TABLE calls"},
        {"database": "system"},
        {"database": "x`; DROP DATABASE default; --"},
        {"readonly": "0"},
        {"output_format_schema": "/etc/x"},
        {"format_schema": "x"},
        {"format_template_row": "/etc/passwd"},
        {"format_avro_schema_registry_url": "http://127.0.0.1:1/"},
        {"allow_ddl": "1"},
        {"allow_introspection_functions": "1"},
        {"additional_table_filters": "{}"},
        {"max_execution_time": "x"},
        {"log_profile_events": "1"},
        {"session_timezone": "UTC', readonly = 0, log_comment = '"},
        {"join_use_nulls = 1, readonly": "0"},
        {"output_format_json_x' = 1, readonly": "0"},
        {"output_format_json_x = 1, allow_ddl": "1"},
    ],
)
def test_settings_and_formats_are_no_way_around(endpoint: Endpoint, said: dict[str, Any]) -> None:
    """They come beside the statement, so the parser never sees them."""
    answer = endpoint.ask("SELECT 1", **said)

    assert answer.status >= 400, answer.data
    assert answer.data.startswith(b"Code: ")


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT * FROM {t:Identifier}", {"t": "system.users"}),
        ("SELECT * FROM {d:Identifier}.{t:Identifier}", {"d": "system", "t": "users"}),
        ("SELECT * FROM {t:Identifier}", {"t": "default.`/etc/passwd`"}),
        ("SELECT 1 IN {t:Identifier}", {"t": "system.users"}),
        ("SELECT * FROM {f:Identifier}('/etc/passwd', 'LineAsString')", {"f": "file"}),
        ("SELECT {f:String}", {"f": "1'); DROP TABLE calls; --", "x; DROP TABLE calls": "1"}),
    ],
)
def test_parameters_are_values_and_judged_names(endpoint: Endpoint, sql: str, parameters: dict[str, str]) -> None:
    """The engine puts a name into the tree before the tree is judged."""
    answer = endpoint.ask(sql, **{f"param_{name}": value for name, value in parameters.items()})

    assert answer.status >= 400 or answer.data == b"1\\'); DROP TABLE calls; --\n", answer.data
    assert endpoint.ask("EXISTS TABLE calls").data == b"1\n"


@pytest.mark.parametrize(
    ("sql", "said", "code"),
    [
        ("SELECT sum(cityHash64(number)) FROM numbers(1000000000000)", {"max_execution_time": 1}, "159"),
        (
            "SELECT count() FROM numbers(1000000000) AS a CROSS JOIN numbers(1000000000) AS b",
            {"max_execution_time": 1},
            "159",
        ),
        ("SELECT groupArray(number) FROM numbers(1000000000)", {}, "241"),
        ("SELECT repeat('x', 100000) FROM numbers(1000)", {"default_format": "JSON"}, "396"),
        ("SELECT number FROM numbers(1000)", {"max_result_rows": 10}, "396"),
    ],
)
def test_limits_end_what_takes_too_much(endpoint: Endpoint, sql: str, said: dict[str, Any], code: str) -> None:
    """Of time, memory and bytes; the next question is answered as if nothing had been."""
    answer = endpoint.ask(sql, **said)

    assert answer.headers["x-clickhouse-exception-code"] == code, answer.data[:300]
    assert endpoint.ask("SELECT 7").data == b"7\n"


def test_a_client_cannot_raise_a_limit(endpoint: Endpoint) -> None:
    """It may ask for less of everything."""
    sql = "SELECT name, value FROM system.settings WHERE name IN ('max_execution_time', 'max_threads', 'readonly')"

    settings = dict(
        line.split("\t")
        for line in endpoint.ask(sql, max_execution_time=999, max_threads=64).data.decode().splitlines()
    )

    assert settings == {"max_execution_time": "20", "max_threads": "2", "readonly": "1"}


def test_a_query_is_no_longer_than_the_limit(endpoint: Endpoint) -> None:
    """A body is refused before it is held."""
    answer = endpoint.ask("SELECT '" + "x" * (300 << 10) + "'")

    assert (answer.status, answer.headers["x-clickhouse-exception-code"]) == (413, "298")


def test_a_project_can_be_the_only_one_that_is_seen(open_endpoint: Opened, store: Database) -> None:
    """What keys will set: a filter on the tables themselves, which views and clients cannot get around."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    zero = {"use_case": "u", "hour": at, "calls": 1, "currency": ""}
    store.insert("ai_calls_1h", [{"project": project, **zero} for project in ("mine", "theirs")])
    name = store.address.database
    narrow = open_endpoint(fixed={"additional_table_filters": f"{{'{name}.ai_calls_1h': 'project = \\'mine\\''}}"})

    for sql in ("SELECT DISTINCT project FROM ai_calls_1h", "SELECT DISTINCT project FROM cost_daily"):
        assert narrow.ask(sql).data == b"mine\n"
    assert narrow.ask("SELECT 1", additional_table_filters="{}").status == 500

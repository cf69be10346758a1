"""ClickHouse's HTTP interface, as curl and drivers see it."""

import gzip
import json
import socket
import threading
from collections.abc import Callable

import pytest
from tests.console.clickhouse_http.conftest import HTTP, Endpoint, Opened

from tocsin_console.clickhouse_http.app import Limits

ENDLESS = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"


@pytest.mark.parametrize("path", ["", "ping", "replicas_status"])
def test_health_checks_are_answered(endpoint: Endpoint, path: str) -> None:
    """Drivers and proxies ask before they connect."""
    answer = HTTP.request("GET", endpoint.url + path)

    assert (answer.status, answer.data) == (200, b"Ok.\n")


def test_a_query_may_stand_in_the_address_in_the_body_or_in_both(endpoint: Endpoint) -> None:
    """As ClickHouse joins them."""
    assert endpoint.ask(method="GET", query="SELECT 1").data == b"1\n"
    assert endpoint.ask("SELECT 2;").data == b"2\n"
    assert endpoint.ask("FORMAT CSVWithNames", query="SELECT 3 AS x").data == b'"x"\n3\n'


def test_an_answer_says_what_it_is(endpoint: Endpoint) -> None:
    """Drivers read format, time zone, id and summary from headers."""
    answer = endpoint.ask("SELECT number FROM numbers(5)", default_format="JSONCompact", query_id="mine")

    assert json.loads(answer.data)["data"] == [[str(n)] for n in range(5)] or json.loads(answer.data)["data"]
    assert answer.headers["x-clickhouse-format"] == "JSONCompact"
    assert answer.headers["x-clickhouse-timezone"] == "UTC"
    assert answer.headers["x-clickhouse-query-id"] == "mine"
    assert answer.headers["x-clickhouse-server-display-name"] == "test"
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert json.loads(answer.headers["x-clickhouse-summary"])["result_rows"] == "5"


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("TabSeparatedWithNamesAndTypes", b"n\ts\nUInt64\tString\n0\tx\n"),
        ("CSVWithNames", b'"n","s"\n0,"x"\n'),
        ("JSONCompactEachRowWithNames", b'["n", "s"]\n["0", "x"]\n'),
        ("RowBinaryWithNamesAndTypes", b"\x02\x01n\x01s\x06UInt64\x06String" + bytes(8) + b"\x01x"),
    ],
)
def test_names_and_types_stand_once_before_many_blocks(endpoint: Endpoint, name: str, start: bytes) -> None:
    """The engine writes them before every block; in the middle they would be read as rows."""
    sql = "SELECT number AS n, 'x' AS s FROM numbers(150000)"

    body = endpoint.ask(sql, default_format=name, output_format_json_quote_64bit_integers=1).data

    assert body.startswith(start)
    header = start[: start.index(b"0") if name != "RowBinaryWithNamesAndTypes" else 19]
    assert body.count(header) == 1
    if name.startswith("RowBinary"):
        assert len(body) == 19 + 150_000 * 10
    else:
        assert body.count(b"\n") == 150_000 + header.count(b"\n")


@pytest.mark.parametrize(("name", "empty"), [("CSVWithNames", b'"n"\n'), ("TabSeparated", b""), ("Native", b"")])
def test_an_empty_answer_keeps_its_names(endpoint: Endpoint, name: str, empty: bytes) -> None:
    """A table without rows still has columns."""
    assert endpoint.ask("SELECT number AS n FROM numbers(0)", default_format=name).data == empty


def test_totals_arrive_behind_the_rows(endpoint: Endpoint) -> None:
    """They come in the block without rows, which is easily thrown away."""
    sql = "SELECT number % 2 AS k, count() FROM numbers(5) GROUP BY k WITH TOTALS ORDER BY k"

    assert endpoint.ask(sql).data == b"0\t3\n1\t2\n\n0\t5\n"


def test_compression_is_used_when_it_is_accepted(endpoint: Endpoint) -> None:
    """And only then."""
    headers = {"accept-encoding": "gzip", "accept": "*/*"}
    raw = HTTP.request("POST", endpoint.url, body=b"SELECT repeat('x', 10000)", headers=headers, decode_content=False)

    assert raw.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw.data) == b"x" * 10_000 + b"\n"
    assert "content-encoding" not in endpoint.ask("SELECT 1", headers={"accept-encoding": "identity"}).headers


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [("SELECT nope", 404, 47), ("SELECT (", 400, 62), ("INSERT INTO calls VALUES (1)", 500, 164), ("", 400, 62)],
)
def test_errors_are_printed_as_clickhouse_prints_them(endpoint: Endpoint, sql: str, status: int, code: int) -> None:
    """Status, header and text together are what drivers make their exceptions of."""
    answer = endpoint.ask(sql or "-- nothing")

    assert answer.status == status
    assert answer.headers["x-clickhouse-exception-code"] == str(code)
    assert answer.data.startswith(b"Code: %d. DB::Exception: " % code)
    assert answer.data.count(b"Code: ") == 1


def test_an_answer_that_fails_half_way_is_not_taken_for_whole(endpoint: Endpoint) -> None:
    """The status has gone out by then: the connection must break."""
    with socket.create_connection((endpoint.address.host, endpoint.address.port)) as line:
        sql = b"SELECT number, throwIf(number = 900000) FROM numbers(1000000)"
        line.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s" % (len(sql), sql))
        received = b"".join(iter(lambda: line.recv(1 << 16), b""))

    assert received.startswith(b"HTTP/1.1 200")
    assert b"Code: 395. DB::Exception" in received
    assert not received.endswith(b"0\r\n\r\n")


def test_a_client_that_waits_for_the_end_gets_the_failure_instead(endpoint: Endpoint) -> None:
    """wait_end_of_query promises that a 200 is whole."""
    sql = "SELECT number, throwIf(number = 900000) FROM numbers(1000000)"

    answer = endpoint.ask(sql, wait_end_of_query=1)

    assert (answer.status, answer.headers["x-clickhouse-exception-code"]) == (500, "395")


def test_settings_that_change_an_answer_are_honoured(endpoint: Endpoint) -> None:
    """Silently ignoring one would give wrong numbers."""
    zone = endpoint.ask("SELECT toDateTime(0)", session_timezone="Asia/Tokyo").data
    nulls = endpoint.ask(
        "SELECT b.x FROM (SELECT 1 AS x) AS a LEFT JOIN (SELECT 2 AS x) AS b USING x", join_use_nulls=1
    ).data

    assert zone == b"1970-01-01 09:00:00\n"
    assert nulls in {b"1\n", b"\\N\n"}


def test_chatter_of_clients_is_accepted(endpoint: Endpoint) -> None:
    """Drivers send these with every query."""
    chatter = {
        "session_id": "s", "client_name": "x", "wait_end_of_query": 1, "send_progress_in_http_headers": 1,
        "enable_http_compression": 1, "database": endpoint.database, "cancel_http_readonly_queries_on_client_close": 1,
        "async_insert": 0, "date_time_input_format": "best_effort", "readonly": 1, "max_result_rows": 10,
    }  # fmt: skip

    assert endpoint.ask("SELECT 1", **chatter).data == b"1\n"


@pytest.mark.parametrize(
    ("said", "given", "status"),
    [
        ({}, {}, 403),
        ({"user": "default", "password": "right"}, {}, 200),
        ({}, {"x-clickhouse-user": "default", "x-clickhouse-key": "right"}, 200),
        ({}, {"authorization": "Basic ZGVmYXVsdDpyaWdodA=="}, 200),
        ({}, {"authorization": "Basic ZGVmYXVsdDp3cm9uZw=="}, 403),
        ({}, {"authorization": "Basic !!"}, 403),
        ({"user": "admin", "password": "right"}, {}, 403),
    ],
)
def test_a_password_is_asked_for_once_it_is_set(
    open_endpoint: Opened, said: dict[str, str], given: dict[str, str], status: int
) -> None:
    """In each of the three places where clients put it."""
    answer = open_endpoint(password="right").ask("SELECT 1", headers=given, **said)

    assert answer.status == status
    assert b"right" not in answer.data


def test_other_hosts_names_and_pages_are_refused(endpoint: Endpoint) -> None:
    """A site that a browser visits must not read the store through a name that it points here."""
    assert endpoint.ask("SELECT 1", headers={"host": "evil.example"}).status == 403
    assert endpoint.ask("SELECT 1", headers={"origin": "https://evil.example"}).status == 403


def test_more_than_the_places_are_told_to_come_again(open_endpoint: Opened, until: Callable[..., None]) -> None:
    """Code 202 with 503 and Retry-After: clients try again by themselves."""
    small = open_endpoint(limits=Limits(running=1, waiting=0))
    busy = threading.Thread(target=small.ask, args=(ENDLESS,))
    busy.start()
    until(lambda: small.engine.running == 1)

    answer = small.ask("SELECT 1")
    small.engine.cancel_all()
    busy.join()

    assert (answer.status, answer.headers["x-clickhouse-exception-code"], answer.headers["retry-after"]) == (
        503,
        "202",
        "1",
    )
    assert small.ask("SELECT 1").data == b"1\n"
    assert small.app.counts()["turned_away"] == 1


def test_a_client_that_leaves_takes_its_query_along(endpoint: Endpoint, until: Callable[..., None]) -> None:
    """Else a dashboard that is closed would keep both cores busy."""
    with socket.create_connection((endpoint.address.host, endpoint.address.port)) as line:
        sql = ENDLESS.encode()
        line.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s" % (len(sql), sql))
        until(lambda: endpoint.engine.running == 1)

    until(lambda: endpoint.engine.running == 0)


def test_an_answer_that_nobody_reads_gives_its_place_back(open_endpoint: Opened) -> None:
    """A client that stops reading would hold a place for ever."""
    small = open_endpoint(limits=Limits(running=1, waiting=4, answer_s=0.5))
    with socket.create_connection((small.address.host, small.address.port)) as line:
        sql = b"SELECT repeat('x', 1000) FROM numbers(1000000)"
        line.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s" % (len(sql), sql))

        assert small.ask("SELECT 1").data == b"1\n"

"""What a person's SQL may do."""

import pytest

from tocsin_collector.errors import StoreRejected
from tocsin_collector.store.database import Database
from tocsin_console.errors import SqlRefused
from tocsin_console.reader import Reader


@pytest.fixture
def reader(store: Database) -> Reader:
    """A reader of a store."""
    return Reader(store.sibling, database=store.address.database, embedded=True)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count() FROM calls",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM a, system.one",
        "select number from numbers(3);",
        "SHOW TABLES",
        "DESCRIBE calls",
        "EXPLAIN SELECT 1",
        "SHOW CREATE TABLE calls",
        "SELECT settings FROM load_ledger LIMIT 1",
        "FROM calls SELECT use_case",
        "SELECT 1 FROM system.one AS s WHERE s.dummy IN (0, 1)",
        "(SELECT 1) UNION ALL (SELECT 2)",
    ],
)
def test_what_reads_tables_is_answered(reader: Reader, sql: str) -> None:
    """The gate must not stand in the way of ordinary questions."""
    assert reader.ask(sql).columns


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT file('/etc/passwd')",
        "SELECT * FROM (SELECT * FROM url('http://127.0.0.1/', 'CSV'))",
        "SELECT (SELECT count() FROM s3('http://127.0.0.1/x'))",
        "SELECT 1 FROM calls AS a JOIN calls AS b ON file(a.call_id) = b.call_id",
        "SELECT * FROM view(SELECT * FROM remote('127.0.0.1', 'system.one'))",
        "SELECT * REPLACE (file('x') AS call_id) FROM calls",
        "SELECT * APPLY(file) FROM calls",
        "SELECT count() OVER (ORDER BY file('x')) FROM calls",
        "DESCRIBE file('x.csv')",
        "EXPLAIN SELECT file('x')",
        "SELECT * FROM executable('sh', 'CSV', 'x String')",
        "SELECT * FROM python('x')",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SELECT 1 FORMAT CSV INTO OUTFILE '/tmp/x'",
        "DESCRIBE calls INTO OUTFILE '/tmp/x'",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT * FROM system.users",
        "SELECT 1 IN system.users",
        "SELECT dummy, in(1, system.users) FROM system.one",
        "SELECT 1 FROM system.one AS s WHERE (s.dummy, 1) NOT IN (s.dummy, 1) AND s.dummy NOT IN system.users",
        "SELECT * FROM other.calls",
        "SELECT sleep(3)",
        "SELECT dictGet('a', 'b', 1)",
        "SELECT 1; DROP TABLE calls",
        "SELECT 1 -- ;\n; DROP TABLE calls",
        "INSERT INTO calls VALUES (1)",
        "DROP TABLE calls",
        "SYSTEM SHUTDOWN",
        "SET readonly = 0",
        "KILL QUERY WHERE 1",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "graph = 1 SELECT 1",
        "SELECT 1 PARALLEL WITH SELECT 2",
        "",
    ],
)
def test_what_reaches_beyond_the_tables_is_refused(reader: Reader, sql: str) -> None:
    """A query is typed by people and programs of this machine, and must not read its files or change its tables."""
    with pytest.raises(SqlRefused):
        reader.ask(sql)


def test_a_long_answer_is_refused_and_harms_no_later_one(reader: Reader) -> None:
    """The embedded engine puts what it could not send before the next answer of the same client."""
    with pytest.raises(StoreRejected):
        reader.ask("SELECT number FROM numbers(1000000)")

    assert reader.ask("SELECT 7 AS x").rows == ((7,),)


def test_numbers_stay_numbers(reader: Reader) -> None:
    """A 64-bit count quoted as text would sort and add up wrongly in whatever reads --json."""
    answer = reader.ask("SELECT toUInt64(18446744073709551615) AS big, NULL AS unknown, [1, 2] AS list")

    assert answer.rows == ((18446744073709551615, None, [1, 2]),)


def test_a_client_that_failed_half_way_gives_the_next_answer_whole(store: Database) -> None:
    """The embedded engine would put the rest of the failed answer before it, and evaluators would believe it."""
    client = store.sibling()
    with pytest.raises(StoreRejected):
        client.rows("SELECT number AS x, throwIf(number = 150000) FROM numbers(200000)")

    assert client.rows("SELECT 7 AS x") == [{"x": 7}]
    client.close()

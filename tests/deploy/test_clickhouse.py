"""What deploy/clickhouse advises, started and tried on a real server."""

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bench._clickhouse import ClickHouse

from tocsin_collector.errors import StoreRejected, StoreUnavailable
from tocsin_collector.store.backup import take_backup
from tocsin_collector.store.backup_place import Place
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate
from tocsin_collector.store.restore import restore

pytestmark = pytest.mark.server
DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "clickhouse"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(clickhouse_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """A server with our configuration beside its own."""
    advice = (DEPLOY / "config.d" / "tocsin-hygiene.xml",)
    with ClickHouse.of(clickhouse_binary, tmp_path_factory.mktemp("advised"), drop_ins=advice) as running:
        yield running


def test_a_server_keeps_little_about_itself(server: ClickHouse) -> None:
    """system.trace_log and its like fill disks that hold little else."""
    server.ask("s1r1", "SELECT 1")
    server.ask("s1r1", "SYSTEM FLUSH LOGS")

    logs = server.ask(
        "s1r1", "SELECT name FROM system.tables WHERE database = 'system' AND name LIKE '%\\_log'"
    ).split()
    kept = server.ask("s1r1", "SELECT count() FROM system.tables WHERE name = 'query_log' AND engine_full LIKE '%TTL%'")

    assert "query_log" in logs
    assert kept == "1"
    assert not set(logs) & {"trace_log", "text_log", "metric_log", "asynchronous_metric_log", "processors_profile_log"}


def _with_users(server: ClickHouse, password: str) -> Database:
    """Run the statements of users.sql for a database of its own; the administrator's client."""
    database = f"t_{uuid.uuid4().hex[:12]}"
    admin = Database.open(StoreAddress(url=server.urls[0], database=database))
    hashed = hashlib.sha256(password.encode()).hexdigest()
    text = (DEPLOY / "users.sql").read_text(encoding="utf-8").replace("tocsin.*", f"{database}.*")
    for part in ("collector", "evaluator", "reader"):
        text = text.replace(f"{{{part}_hash}}", hashed)
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    for statement in filter(str.strip, body.split(";\n")):
        admin.command(statement.strip().removesuffix(";"))
    return admin


def test_operator_may_back_up_and_restore(server: ClickHouse) -> None:
    """Whoever is called at night should not need the administrator's password; and a server comes back as it was."""
    admin = _with_users(server, "hunter2")
    admin.command("CREATE USER IF NOT EXISTS olga IDENTIFIED BY 'hunter2'")
    admin.command("GRANT tocsin_operator TO olga")
    url = f"http://127.0.0.1:{server.nodes[0].http}"
    olga = Database.open(replace(admin.address, url=url, user="olga", password="hunter2"))
    migrate(olga, now=NOW)
    olga.insert("watermarks", [{"collector": "a", "complete_to": NOW, "data_complete_to": NOW, "at": NOW}])
    place = Place(kind="disk", holder="backups", path=admin.address.database)

    take_backup(olga, place, identity=uuid.uuid4().hex, now=NOW, version="1")
    restored = restore(olga, place, identity=lambda: uuid.uuid4().hex, now=NOW, version="1", overwrite=True)

    assert {each.verdict for each in restored.tables} == {"same"}
    assert olga.rows("SELECT collector FROM watermarks") == [{"collector": "a"}]
    olga.close()
    admin.command(f"DROP DATABASE `{admin.address.database}`")
    admin.close()


def test_each_part_has_the_rights_that_it_needs(server: ClickHouse) -> None:
    """The statements in users.sql are enough to migrate, load and read, and not enough for more."""
    password = "hunter2"
    admin = _with_users(server, password)
    url = f"http://127.0.0.1:{server.nodes[0].http}"
    address = replace(admin.address, url=url, user="tocsin_collector_user", password=password)

    collector = Database.open(address)
    migrate(collector, now=NOW)
    collector.insert("watermarks", [{"collector": "a", "complete_to": NOW, "data_complete_to": NOW, "at": NOW}])
    reader = Database.open(replace(address, user="tocsin_reader_user"))

    assert reader.rows("SELECT collector FROM watermarks") == [{"collector": "a"}]
    assert reader.rows("SELECT count() AS n FROM calls") == [{"n": 0}]
    for refused in ("DROP TABLE watermarks", "CREATE USER somebody"):
        with pytest.raises(StoreRejected):
            reader.command(refused)
    with pytest.raises(StoreRejected):
        collector.command("CREATE USER somebody")
    with pytest.raises(StoreUnavailable) as stranger:
        Database.open(replace(address, password="wrong"))
    assert "wrong" not in str(stranger.value)
    assert password not in str(stranger.value)
    for each in (reader, collector):
        each.close()
    admin.command(f"DROP DATABASE `{admin.address.database}`")
    admin.close()

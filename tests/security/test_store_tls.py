"""A store behind TLS and a password: a real server with a certificate of its own authority."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme
from tests.security.conftest import Issue, Issued

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import migrate
from tocsin_collector.store.store_address import StoreAddress
from tocsin_console.config import Flags, resolve

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.server
PASSWORD = "not to be printed: 7c1f"
CONFIG = """<clickhouse><https_port>{port}</https_port>
<openSSL><server><certificateFile>{files.certificate}</certificateFile><privateKeyFile>{files.private_key}</privateKeyFile>
<caConfig>{files.authority}</caConfig><verificationMode>relaxed</verificationMode><loadDefaultCAFile>false</loadDefaultCAFile></server></openSSL>
<users><tocsin><password_sha256_hex>{digest}</password_sha256_hex><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></tocsin>
<robot><ssl_certificates><common_name>robot</common_name></ssl_certificates><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></robot></users></clickhouse>"""
Configured = Callable[..., StoreAddress]


@pytest.fixture
def files(issue: Issue) -> Issued:
    """The server's."""
    return issue()


@pytest.fixture
def port(clickhouse_binary: Path, tmp_path: Path, files: Issued) -> Iterator[int]:
    """A real server's HTTPS port."""
    from bench._clickhouse import ClickHouse

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        https: int = free.getsockname()[1]
    drop_in = tmp_path / "tls.xml"
    drop_in.write_text(
        CONFIG.format(port=https, files=files, digest=hashlib.sha256(PASSWORD.encode()).hexdigest()), encoding="utf-8"
    )
    running: ClickHouse
    with ClickHouse.of(clickhouse_binary, tmp_path / "server", drop_ins=[drop_in]) as running:
        assert running.nodes
        yield https


@pytest.fixture
def configured(port: int, tmp_path: Path) -> Configured:
    """Read a tocsin.yaml, as every process of tocsin does."""

    def told(*lines: str, **environment: str) -> StoreAddress:
        said = "".join(f"  {line}\n" for line in (f"url: https://localhost:{port}", *lines))
        (tmp_path / "tocsin.yaml").write_text(f"store:\n{said}", encoding="utf-8")
        return resolve(Flags(), environment={"HOME": str(tmp_path), **environment}, cwd=tmp_path).store

    return told


def by_file(files: Issued, folder: Path) -> tuple[str, ...]:
    """Let in by a password in a file."""
    (folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    return "user: tocsin", "password: file:password", f"tls: {{ca: {files.authority.name}}}"


def test_tables_are_made_and_read_over_tls(configured: Configured, files: Issued, tmp_path: Path) -> None:
    """The password is a reference, in the environment or a file; the authority is the one that the file names."""
    by_variable = ("user: tocsin", "password: env:SECRET", f"tls: {{ca: {files.authority.name}}}")

    for address in (configured(*by_file(files, tmp_path)), configured(*by_variable, SECRET=PASSWORD)):
        database = Database.open(address)
        migrate(database, now=datetime(2026, 3, 2, tzinfo=UTC))
        database.insert("use_case_map", [{"project": "default", "position": 1, "service": "a"}])
        [row] = database.rows("SELECT currentUser() AS who, (SELECT count() FROM use_case_map FINAL) AS n")
        database.close()
        assert row == {"who": "tocsin", "n": 1}
        assert PASSWORD not in repr(address)


def test_another_authority_is_refused(
    configured: Configured, files: Issued, issue: Issue, port: int, tmp_path: Path
) -> None:
    """Whoever stands between must not get the password: nothing is sent to a server whose certificate does not hold."""
    stranger = issue("stranger", by=trustme.CA())
    lines = by_file(files, tmp_path)[:2]

    for said in (f"tls: {{ca: {stranger.authority.name}}}", "tls: {}"):
        with pytest.raises(StoreUnavailable, match=f"https://localhost:{port}.*(?i:certificate)") as refusal:
            Database.open(configured(*lines, said))
        assert PASSWORD not in str(refusal.value)


@pytest.mark.parametrize(
    "lines",
    [("user: tocsin", "password: env:SECRET"), ("token: env:SECRET",)],
    ids=["a wrong password", "a token that it does not take"],
)
def test_what_does_not_let_in_is_not_told(configured: Configured, files: Issued, lines: tuple[str, ...]) -> None:
    """Servers other than ClickHouse Cloud take no tokens. What was refused ends in logs: it must not be in the message."""
    with pytest.raises(StoreUnavailable) as refusal:
        Database.open(configured(*lines, f"tls: {{ca: {files.authority.name}}}", SECRET="a-wrong-one"))

    assert "a-wrong-one" not in str(refusal.value)


def test_certificate_lets_in_without_a_password(
    configured: Configured, files: Issued, authority: trustme.CA, tmp_path: Path
) -> None:
    """Machines are often known by certificates that expire by themselves."""
    made = authority.issue_cert("localhost", common_name="robot")
    made.cert_chain_pems[0].write_to_path(str(tmp_path / "robot.pem"))
    made.private_key_pem.write_to_path(str(tmp_path / "robot.key"))
    tls = f"tls: {{ca: {files.authority.name}, certificate: robot.pem, private_key: robot.key}}"

    database = Database.open(configured("user: robot", tls))

    assert database.rows("SELECT currentUser() AS who") == [{"who": "robot"}]
    database.close()

"""Certificates are checked where they are configured: every refusal says which file, what is wrong and what to do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.security.conftest import Issue

from tocsin_collector.errors import TlsError
from tocsin_collector.receive.tls import TlsFiles

NOW = datetime.now(UTC)


@pytest.fixture
def issue(issue: Issue) -> Callable[..., TlsFiles]:
    """Issue certificates, as a listener is told of them."""

    def issued(name: str = "server", expires: datetime | None = None) -> TlsFiles:
        made = issue(name, expires=expires)
        return made.files(client_ca=made.authority)

    return issued


def test_a_good_pair_is_read_whole(issue: Callable[..., TlsFiles]) -> None:
    """What is handed to a listener is what stands in the files."""
    files = issue()

    contents = files.read(now=NOW)

    assert contents.certificate == files.certificate.read_bytes()
    assert contents.client_ca is not None
    assert contents.client_ca.startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_private_key_is_never_printed(issue: Callable[..., TlsFiles]) -> None:
    """A record that ends in a log must not carry the key with it."""
    files = issue()

    assert "PRIVATE" not in repr(files.read(now=NOW))


def test_a_missing_file_is_named(issue: Callable[..., TlsFiles]) -> None:
    """The usual cause is a path relative to another folder."""
    files = issue()
    files.private_key.unlink()

    with pytest.raises(TlsError, match=r"server.key \(tls.private_key\), but No such file"):
        files.read(now=NOW)


@pytest.mark.parametrize("which", ["certificate", "private_key", "client_ca"])
def test_what_is_not_pem_is_refused(issue: Callable[..., TlsFiles], which: str) -> None:
    """A DER file looks alike in a folder listing."""
    files = issue()
    getattr(files, which).write_bytes(b"\x30\x82\x01\x0a")

    with pytest.raises(TlsError, match=f"expected PEM .*tls.{which}"):
        files.read(now=NOW)


@pytest.mark.parametrize("which", ["certificate", "private_key", "client_ca"])
def test_a_damaged_pem_is_refused(issue: Callable[..., TlsFiles], which: str) -> None:
    """A half-written file has the first line and not the rest."""
    files = issue()
    path = getattr(files, which)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], *lines[-1:]]))

    with pytest.raises(TlsError, match=str(path)):
        files.read(now=NOW)


def test_a_key_of_another_certificate_is_refused(issue: Callable[..., TlsFiles]) -> None:
    """Renewing one file of two is the usual accident."""
    mine, other = issue(), issue("other")

    with pytest.raises(TlsError, match=r"other.key is another's"):
        TlsFiles(certificate=mine.certificate, private_key=other.private_key).read(now=NOW)


def test_an_expired_certificate_says_since_when(issue: Callable[..., TlsFiles]) -> None:
    """Clients would only say that the handshake failed."""
    files = issue(expires=NOW - timedelta(days=1))

    with pytest.raises(TlsError, match=f"expired on {NOW - timedelta(days=1):%Y-%m-%d}"):
        files.read(now=NOW)


def test_a_certificate_of_the_future_blames_the_clock(issue: Callable[..., TlsFiles]) -> None:
    """A machine that starts in 1970 refuses every certificate."""
    files = issue()

    with pytest.raises(TlsError, match="clock"):
        files.read(now=datetime(1970, 1, 1, tzinfo=UTC))


def test_a_certificate_in_use_is_good_until_its_last_second(issue: Callable[..., TlsFiles]) -> None:
    """The validity is read to the second, also past 2049 where it is written otherwise."""
    ends = datetime(2060, 1, 2, 3, 4, 5, tzinfo=UTC)
    files = issue(expires=ends)

    files.read(now=ends - timedelta(seconds=1))

    with pytest.raises(TlsError, match="expired on 2060-01-02 03:04"):
        files.read(now=ends)

"""The same collector and real server as the collector's own tests, and an authority that issues certificates."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from tests.collector.conftest import run

from tocsin_collector.receive.tls import TlsFiles

__all__ = ["Issued", "authority", "issue", "run"]


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate in files, and the authority's beside it."""

    certificate: Path
    private_key: Path
    authority: Path

    def files(self, *, client_ca: Path | None = None) -> TlsFiles:
        """As a listener is told of it."""
        return TlsFiles(certificate=self.certificate, private_key=self.private_key, client_ca=client_ca)


Issue = Callable[..., Issued]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """One authority: making a key takes a moment."""
    return trustme.CA()


@pytest.fixture
def issue(tmp_path: Path, authority: trustme.CA) -> Issue:
    """Issue certificates for localhost; of another authority on request."""

    def issued(name: str = "server", *, expires: datetime | None = None, by: trustme.CA = authority) -> Issued:
        made = by.issue_cert(
            "localhost", "127.0.0.1", not_before=datetime.now(UTC) - timedelta(days=9), not_after=expires
        )
        paths = Issued(tmp_path / f"{name}.pem", tmp_path / f"{name}.key", tmp_path / f"{name}.ca")
        by.cert_pem.write_to_path(str(paths.authority))
        made.private_key_pem.write_to_path(str(paths.private_key))
        paths.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        return paths

    return issued

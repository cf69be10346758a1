"""Where calls are kept, and for how long."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from tocsin_console.sections.section import Section


class StoreTlsSection(Section):
    """How an https store's certificate is checked, and what is shown to it."""

    ca: Path | None = None
    """PEM file of the authorities that the store's certificate is checked against; left out, the system's."""
    certificate: Path | None = None
    """PEM file of the certificate that is shown to the store; left out, none is."""
    private_key: Path | None = None
    """PEM file of the key of that certificate, without a password."""
    verify: bool = True
    """false believes any certificate: for a trial, never across a network that others use."""


class StoreSection(Section):
    """Where calls are kept: a folder of the embedded engine, a ClickHouse server, or the hosts of a cluster."""

    path: Path | None = None
    """Folder of the embedded engine; left out, `store` in the data folder. Not beside `url`."""
    url: str | tuple[str, ...] | None = None
    """HTTP address of a ClickHouse server, or several of a cluster's, asked in this order; left out, the embedded engine."""
    database: str = "tocsin"
    """Database on the server."""
    user: str = ""
    """User on the server; left out, the server's own default."""
    password: str = ""
    """The user's password, as `env:NAME` or `file:PATH`, never the password itself."""
    token: str = ""
    """An access token as `env:NAME` or `file:PATH`, instead of user and password."""
    cluster: str = ""
    """Name of the cluster in the servers' `remote_servers`; left out, one server."""
    insert_quorum: str | int = "auto"
    """Replicas that hold a segment before it leaves the spool: `auto` (most of them), a number, or 0 (one)."""
    connect_timeout_s: float = Field(default=5.0, gt=0)
    """Seconds to connect in, before the next host is asked."""
    timeout_s: float = Field(default=300.0, gt=0)
    """Seconds that one statement may take."""
    tls: StoreTlsSection = StoreTlsSection()
    """How an https store is verified."""
    retention: dict[str, str] = Field(default_factory=dict)
    """How long a table keeps its rows, from their arrival: `30d`, `13 months` or `for ever`; other tables as shipped."""
    evidence: str = "400d"
    """How long the content of calls that were picked for review is kept while nobody has reviewed them."""
    reviewed_content: str = "30d"
    """How long content is kept after its call was reviewed or labelled; `for ever`: as its table says."""

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, said: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for url in (said,) if isinstance(said, str) else said or ():
            if urlsplit(url).password:
                raise ValueError("expected a URL without a password: give it as password: env:NAME or file:PATH")
        return said

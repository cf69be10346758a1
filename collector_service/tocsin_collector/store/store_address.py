"""Where the store is, how to get in, and how it is spread: a folder, a server, or a cluster of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

IN_MEMORY: Final = Path(":memory:")  # the engine's own name for it
_SHARD: Final = "_shard"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreTls:
    """How a server's certificate is checked, and what is shown to it."""

    ca: Path | None = None  # None: the system's
    certificate: Path | None = None
    private_key: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """Where the store is: a folder for the embedded engine, or the URLs of a server or cluster."""

    path: Path | None = None
    url: str | None = field(default=None, repr=False)  # http(s)://user@host:port; secrets come apart
    more_urls: tuple[str, ...] = field(default=(), repr=False)  # further hosts, asked when the first does not answer
    user: str = ""
    password: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)  # instead of user and password
    database: str = "tocsin"
    cluster: str = ""  # as in remote_servers; empty: one server
    insert_quorum: str = "auto"  # replicas that must have a segment before it leaves the spool; 0: the one that took it
    tls: StoreTls = StoreTls()
    connect_timeout_s: float = 5.0
    timeout_s: float = 300.0  # for one statement

    def __post_init__(self) -> None:
        if (self.path is None) == (self.url is None):
            raise ValueError(f"expected either a folder or a server's URL, got {self.path!r} and {self.where!r}")
        for url in self.urls:
            if urlsplit(url).scheme not in {"http", "https"}:
                raise ValueError(f"expected a server's URL as http://host:8123 or https://host:8443, got {shown(url)}")
        if self.cluster and self.path is not None:
            raise ValueError(f"expected a cluster of servers, got the cluster {self.cluster!r} and a folder")
        if self.access_token and (self.password or self.user):
            raise ValueError("expected a user and password or an access token, got both")
        if self.insert_quorum != "auto" and not self.insert_quorum.isdecimal():
            raise ValueError(f"expected insert_quorum to be auto or a number, got {self.insert_quorum!r}")

    @property
    def urls(self) -> tuple[str, ...]:
        """Every host, in the order in which they are asked."""
        return () if self.url is None else (self.url, *self.more_urls)

    @property
    def where(self) -> str:
        """The hosts for people: without user, password or token."""
        return ", ".join(shown(url) for url in self.urls)

    @property
    def is_embedded(self) -> bool:
        """Whether the engine runs in this process."""
        return self.path is not None

    @property
    def is_in_memory(self) -> bool:
        """Whether the embedded engine keeps nothing: a process decodes with it and stores elsewhere."""
        return self.path == IN_MEMORY

    @property
    def shard_database(self) -> str:
        """The database of the tables that each shard has its own rows of; without a cluster there is but one."""
        return self.database + _SHARD if self.cluster else self.database


def shown(url: str) -> str:
    """Write a URL without what lets one in."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")

"""A cluster as the collector sees it: which hosts hold which shard, and to which shard a segment belongs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tocsin_collector.errors import SchemaError, StoreUnavailable
from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.stores import ServerStore, unsent
from tocsin_collector.privacy.redaction import Redaction
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.database import Database, StoreAddress

_SHARDS = "SELECT shard_num AS shard, count() AS n FROM system.clusters WHERE cluster = {cluster:String} GROUP BY shard ORDER BY shard"
_OWN = "SELECT shard_num AS n FROM system.clusters WHERE cluster = {cluster:String} AND is_local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a cluster is laid out, as far as its hosts answered."""

    replicas: Mapping[int, int]  # by shard, from 1: as many as are configured, whether they live or not
    hosts: Mapping[int, Sequence[str]]  # by shard; URLs

    @property
    def shards(self) -> int:
        """Say how many there are."""
        return len(self.replicas)

    def shard_of(self, segment_hash: str) -> int:
        """Name the shard of a segment: by its content, so that every retry comes to the same one."""
        return int(segment_hash[:15], 16) % self.shards + 1


def survey(address: StoreAddress) -> Layout:
    """Ask each host to which shard it belongs. Ports and names in a server's own list are those of its native protocol.

    Raises:
        SchemaError: the hosts know no such cluster, or one belongs to none of its shards.
        StoreUnavailable: no host answers.
    """
    replicas: dict[int, int] = {}
    hosts: dict[int, list[str]] = {}
    silent: StoreUnavailable | None = None
    named = {"cluster": address.cluster}
    for url in address.urls:
        try:
            host = Database.open(replace(address, url=url, more_urls=()))
        except StoreUnavailable as error:
            silent = error
            continue
        try:
            replicas = {int(row["shard"]): int(row["n"]) for row in host.rows(_SHARDS, named)}
            own = host.rows(_OWN, named)
        finally:
            host.close()
        if not replicas or not own:
            raise SchemaError(
                f"expected {host.address.where} to be a host of the cluster {address.cluster}, but its system.clusters "
                f"does not say so: mend store.cluster, store.url or the server's remote_servers"
            )
        hosts.setdefault(int(own[0]["n"]), []).append(url)
    if not hosts:
        raise silent or StoreUnavailable("expected hosts of a cluster, got none")
    return Layout(replicas=replicas, hosts=hosts)


class ClusterStore:
    """Gives each segment whole to the shard that its hash names, by whichever of that shard's hosts answers.

    The token is the segment's, so a retry on another replica of the shard stores nothing twice.
    """

    def __init__(self, database: Database, engine: Database, redactions: Sequence[Redaction] = ()) -> None:
        """Ask the hosts for their shards.

        Args:
            database: The cluster, as everybody reads it.
            engine: The embedded engine that decodes.
            redactions: What is taken out of texts.
        """
        self._database = database
        self._engine = engine
        self._redactions = redactions
        self._layout = survey(database.address)
        self._shards: dict[int, ServerStore] = {}
        self._clients: list[Database] = []

    def insert(self, segment: Segment) -> None:
        """As a store of one shard does."""
        with unsent():
            store = self._store_of(segment)
        store.insert(segment)

    def settle(self, segment: Segment, beside: Collection[str] = ()) -> None:
        """As a store of one shard does."""
        self._store_of(segment).settle(segment, beside)

    def try_out(self, segment: Segment) -> None:
        """As a store of one shard does."""
        self._store_of(segment).try_out(segment)

    def _store_of(self, segment: Segment) -> ServerStore:
        number = self._layout.shard_of(segment.hash)
        if number not in self._shards:
            client = self._client(number)
            self._clients.append(client)
            self._shards[number] = ServerStore(client, self._engine, self._redactions)
        return self._shards[number]

    def check(self, kind: Kind, path: Path) -> None:
        """As :meth:`ServerStore.check`."""
        ServerStore(self._database, self._engine, self._redactions).check(kind, path)

    def close(self) -> None:
        """Close the shards' clients."""
        for client in self._clients:
            client.close()

    def _client(self, number: int) -> Database:
        if not self._layout.hosts.get(number) or self._unheard():
            self._layout = survey(self._database.address)  # a host that was silent may answer now
        if not self._layout.hosts.get(number):
            raise StoreUnavailable(
                f"no host of shard {number} of {self._layout.shards} in the cluster {self._database.address.cluster} "
                f"answers: start one, or name its URL in store.url"
            )
        return self._database.on_shard(self._layout.hosts[number], insert_quorum=self._quorum(number))

    def _quorum(self, number: int) -> str:
        """Say how many replicas must have a segment.

        Left to the server, auto is most of those that Keeper has now: one, while a lost replica is out of it and the new one
        is not yet in.
        """
        asked = self._database.address.insert_quorum
        return str(self._layout.replicas[number] // 2 + 1) if asked == "auto" else asked

    def _unheard(self) -> bool:
        return sum(map(len, self._layout.hosts.values())) < len(self._database.address.urls)


def each_shard(database: Database) -> list[Database]:
    """Open a client of every shard's own tables; without a cluster, one of the store itself. The caller closes them.

    Raises:
        StoreUnavailable: a shard has no host that answers.
    """
    if not database.address.cluster:
        return [database.sibling()]
    layout = survey(database.address)
    if missing := sorted(set(range(1, layout.shards + 1)) - set(layout.hosts)):
        raise StoreUnavailable(f"no host of shard {missing[0]} of {layout.shards} answers: start one")
    return [database.on_shard(layout.hosts[number]) for number in sorted(layout.hosts)]

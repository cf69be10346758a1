"""The nodes of a cluster, and which of them have tocsin's tables: one that came with an empty disk has none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tocsin_collector.store.database import Database

_LISTED: Final = """SELECT shard_num AS shard, replica_num AS replica, concat(host_name, ':', toString(port)) AS address
FROM system.clusters WHERE cluster = {cluster:String} ORDER BY shard_num, replica_num"""
# Of all replicas as shards of their own, numbered as they are listed; who does not answer is left out.
_FROM_EACH: Final = "FROM clusterAllReplicas('{cluster}', system.{table})"
_WHO: Final = "SELECT _shard_num AS node, groupArray((macro, substitution)) AS macros {source} GROUP BY node"
_WHAT: Final = """SELECT _shard_num AS node, groupArray((database, name)) AS tables {source}
WHERE database IN {databases:Array(String)} GROUP BY node"""
_BEHIND: Final = """SELECT _shard_num AS node, countIf(is_readonly) AS readonly, sum(queue_size) AS queue, max(absolute_delay) AS delay
{source} WHERE database IN {databases:Array(String)} GROUP BY node"""
_SKIP: Final = " SETTINGS skip_unavailable_shards = 1"

Name = tuple[str, str]  # database and table


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNode:
    """One server of a cluster, as it was found."""

    shard: int  # from 1, as in remote_servers
    replica: int
    address: str  # of its native protocol, as in remote_servers
    answers: bool
    macros: Mapping[str, str]  # what its tables' paths in Keeper are made of
    tables: frozenset[Name]  # of tocsin's databases
    missing: frozenset[Name]  # that other nodes have
    readonly: int  # tables that take nothing, since Keeper does not know them
    queue: int  # parts that it has still to fetch or merge
    delay_s: int  # of the table that is furthest behind

    @property
    def is_bare(self) -> bool:
        """Whether it has none of the tables, though others do."""
        return self.answers and not self.tables and bool(self.missing)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.macros.get("replica") or self.address

    @property
    def state(self) -> str:
        """Say in a word how it is: ok, behind, read-only, incomplete, empty or away."""
        if not self.answers:
            return "away"
        if self.missing:
            return "empty" if self.is_bare else "incomplete"
        if self.readonly:
            return "read-only"
        return "behind" if self.delay_s or self.queue else "ok"


def look(database: Database) -> tuple[ClusterNode, ...]:
    """Ask every node of the store's cluster, through the one that this client speaks to.

    Raises:
        StoreUnavailable: that one does not answer.
    """
    address = database.address
    databases = {"databases": [address.database, address.shard_database]}
    listed = database.rows(_LISTED, {"cluster": address.cluster})

    def by_node(sql: str, table: str, parameters: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
        source = _FROM_EACH.format(cluster=address.cluster, table=table)
        rows = database.rows(sql.replace("{source}", source) + _SKIP, parameters)
        return {int(row["node"]): row for row in rows}

    who = by_node(_WHO, "macros", {})
    what = by_node(_WHAT, "tables", databases)
    behind = by_node(_BEHIND, "replicas", databases)
    there = {number: frozenset((str(one), str(two)) for one, two in row["tables"]) for number, row in what.items()}
    everything = frozenset[Name]().union(*there.values())
    nodes = []
    for number, row in enumerate(listed, start=1):
        own, late = there.get(number, frozenset()), behind.get(number, {})
        answers = number in who
        nodes.append(
            ClusterNode(
                shard=int(row["shard"]),
                replica=int(row["replica"]),
                address=str(row["address"]),
                answers=answers,
                macros=dict(who[number]["macros"]) if answers else {},
                tables=own,
                missing=everything - own if answers else frozenset(),
                readonly=int(late.get("readonly", 0)),
                queue=int(late.get("queue", 0)),
                delay_s=int(late.get("delay", 0)),
            )
        )
    return tuple(nodes)


def lost_shards(nodes: Sequence[ClusterNode]) -> list[int]:
    """List the shards of which no node that answers has a table left: what they held is in a backup, or nowhere."""
    shards = {node.shard for node in nodes if node.missing}
    return sorted(shard for shard in shards if not any(node.tables for node in nodes if node.shard == shard))

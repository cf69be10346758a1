"""A segment of which nobody can say what is stored: found out target by target, and only what is missing is filled in.

Its token tells only while the tables remember it, and only for the same block. So the segment is inserted beside: into
copies of the targets that stand behind copies of the views, where its rows can be counted. A target that holds as many of
the segment's rows is left as it is; one that lacks them is given the copy's partitions, which wakes no view.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.database import Database

_AGAIN: Final = "again_"
_VIEWS: Final = (
    "SELECT name, create_table_query AS made, as_select FROM system.tables"
    " WHERE database = currentDatabase() AND engine = 'MaterializedView' ORDER BY name"
)
_ALL_VIEWS: Final = (
    "SELECT database, name, create_table_query AS made, as_select FROM system.tables"
    " WHERE engine = 'MaterializedView' ORDER BY database, name"
)
_TARGET: Final = re.compile(r"\bTO (?:`?(\w+)`?\.)?`?(\w+)`?")
_TABLE: Final = (
    "SELECT primary_key AS first, sorting_key AS sorted, engine, engine_full AS made FROM system.tables"
    " WHERE database = {database:String} AND name = {table:String}"
)
_ORDER: Final = re.compile(r"((?:PARTITION BY|PRIMARY KEY|ORDER BY) .*?)(?: TTL | SETTINGS |$)")
_AT_ONCE: Final = {"mutations_sync": 2}
_AT_A_TIME: Final = 50  # partitions in one statement
_WEIGHTS: Final = 1_000_003
_MOST_WAYS: Final = 4096  # in which a partition may lack parts of others: of a dozen segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One table that a segment fills, through one view."""

    database: str
    name: str
    source: str  # the table that the view reads
    select: str  # the view's

    @property
    def qualified(self) -> str:
        """With its database: a cluster's books are in another than the views."""
        return f"`{self.database}`.`{self.name}`"


class Settler:
    """Fills in what is missing of segments, over one server or shard."""

    def __init__(
        self, database: Database, insert_into: Callable[[Segment, str], None], beside: Collection[str] = ()
    ) -> None:
        """Prepare.

        Args:
            database: Where the views are, in a client of its own.
            insert_into: Inserts a segment into a table that is like its kind's.
            beside: The hashes of other segments of which nobody can say what is stored.
        """
        self._database = database
        self._insert_into = insert_into
        self._beside = beside

    def settle(self, segment: Segment, source: str) -> None:
        """Make every target hold a segment's rows once.

        Args:
            segment: The one in doubt.
            source: The table that its kind is inserted into.

        Raises:
            StoreUnavailable: it cannot be told yet, or the store did not answer; do it again.
        """
        self._name = self._database.rows("SELECT currentDatabase() AS name")[0]["name"]
        targets = self._targets(source)
        try:
            self._copy(source, targets)
            self._insert_into(segment, _AGAIN + source)
            for target in targets:  # sources before what is summed from them
                self._fill(target, segment)
        finally:
            self._clear(source, targets)

    def try_out(self, segment: Segment, source: str) -> None:
        """Insert a segment beside the tables and drop it again: through copies of every view that its rows would go through.

        Args:
            segment: One whose rows nobody needs.
            source: The table that its kind is inserted into.

        Raises:
            StoreRejected: the tables or views would refuse it.
            StoreUnavailable: try again.
        """
        self._name = self._database.rows("SELECT currentDatabase() AS name")[0]["name"]
        targets = self._targets(source)
        others = self._others(source, targets)
        try:
            self._copy(source, targets)
            for name, select in others.items():
                self._database.command(
                    f"CREATE MATERIALIZED VIEW `{name}` ENGINE = Null AS {select}",
                    settings={"max_parser_depth": 10_000},
                )
            self._insert_into(segment, _AGAIN + source)
        finally:
            for name in others:
                self._database.command(f"DROP TABLE IF EXISTS `{name}` SYNC")
            self._clear(source, targets)

    def _others(self, source: str, targets: list[Target]) -> dict[str, str]:
        """Read the views that are nobody's targets: somebody's own, in whatever database, whose errors fail an insert too."""
        found = {}
        for row in self._database.rows(_ALL_VIEWS):
            if row["database"] == self._name and _TARGET.search(row["made"]):
                continue
            for name in (source, *(target.name for target in targets)):
                view = Target(database=row["database"], name=row["name"], source=name, select=row["as_select"])
                select = self._reading(view, f"`{_AGAIN}{name}`")
                if select != view.select:
                    found[f"{_AGAIN}{view.database}_{view.name}"] = select
        return found

    def _targets(self, source: str) -> list[Target]:
        views = []
        for row in self._database.rows(_VIEWS):
            to = _TARGET.search(row["made"])
            if to is not None:
                views.append((to[1] or self._name, to[2], row["as_select"]))
        found: list[Target] = []
        sources = [source]
        for each in sources:  # grows while it is read
            reads = re.compile(rf"\bFROM `?{self._name}`?\.`?{each}`?(?=\s|\)|$)")
            for database, name, select in views:
                if reads.search(select):
                    found.append(Target(database=database, name=name, source=each, select=select))
                    sources.append(name)
        return found

    def _reading(self, target: Target, other: str) -> str:
        """Write a view's SELECT so that it reads another table under the name of its own."""
        pattern = rf"\bFROM `?{self._name}`?\.`?{target.source}`?(?=\s|\)|$)"
        return re.sub(pattern, lambda _: f"FROM {other} AS `{target.source}`", target.select)

    def _copy(self, source: str, targets: list[Target]) -> None:
        self._clear(source, targets)
        run = self._database.command
        run(f"CREATE TABLE `{_AGAIN}{source}` AS `{source}` ENGINE = Null")
        for target in targets:
            keys = self._keys(target)
            run(f"CREATE TABLE `{_AGAIN}{target.name}` AS {target.qualified} ENGINE = MergeTree {_order(keys['made'])}")
        for target in targets:
            select = self._reading(target, f"`{_AGAIN}{target.source}`")
            # A view that was altered may say more than its table has; one that is made may not.
            said = {row["name"] for row in self._database.rows(f"DESCRIBE TABLE ({select})")}
            kept = ", ".join(f"`{name}`" for name in self._columns(target) if name in said)
            run(
                f"CREATE MATERIALIZED VIEW `{_AGAIN}{target.name}_mv` TO `{_AGAIN}{target.name}` AS"
                f" SELECT {kept} FROM ({select})",
                settings={"max_parser_depth": 10_000},
            )

    def _clear(self, source: str, targets: list[Target]) -> None:
        for target in targets:
            self._database.command(f"DROP TABLE IF EXISTS `{_AGAIN}{target.name}_mv` SYNC")
        for name in (source, *(target.name for target in targets)):
            self._database.command(f"DROP TABLE IF EXISTS `{_AGAIN}{name}` SYNC")

    def _keys(self, target: Target) -> dict[str, Any]:
        return self._database.rows(_TABLE, {"database": target.database, "table": target.name})[0]

    def _fill(self, target: Target, segment: Segment) -> None:
        expected = self._number(f"SELECT count() AS n FROM `{_AGAIN}{target.name}`")
        if not expected:
            return
        if "segment" in self._columns(target):
            self._attach(target, self._without_rows(target, segment))
        elif self._keys(target)["engine"].endswith("SummingMergeTree"):
            self._attach(target, self._without_sums(target))
        elif not self._has_rows(target):
            self._attach(target, self._partitions(target))

    def _without_rows(self, target: Target, segment: Segment) -> list[str]:
        """Name the partitions that lack the segment's rows. Where one has some of them, those are deleted, in it alone."""
        counted = "SELECT _partition_id AS id, count() AS n FROM {} {} GROUP BY id ORDER BY id"
        of_segment = {"segment": segment.hash}
        due, held = (
            {row["id"]: int(row["n"]) for row in self._database.rows(sql, of_segment)}
            for sql in (
                counted.format(f"`{_AGAIN}{target.name}`", ""),
                counted.format(target.qualified, "WHERE segment = {segment:String}"),
            )
        )
        for partition in held:
            if held[partition] != due.get(partition):
                self._database.command(
                    f"ALTER TABLE {target.qualified} DELETE IN PARTITION ID {{partition:String}} WHERE segment = {{segment:String}}",
                    parameters={**of_segment, "partition": partition},
                    settings=_AT_ONCE,
                )
        return [partition for partition, n in due.items() if held.get(partition) != n]

    def _has_rows(self, target: Target) -> bool:
        """Say whether a table without segments holds every one of the rows."""
        key = self._keys(target)["first"]
        missing = f"SELECT count() AS n FROM `{_AGAIN}{target.name}` WHERE ({key}) NOT IN (SELECT {key} FROM {target.qualified})"
        return not self._number(missing)

    def _without_sums(self, target: Target) -> list[str]:
        """Name the partitions whose sums lack the segment's part, by what they must come to over the rows they are summed from.

        A partition has all of it or nothing: that is what an insert that is cut short leaves. So it may be of the segments
        in doubt beside this one, of each of which the sums then have a part or not; what is summed is weighed by its key, so
        that parts of different rows differ.

        Raises:
            StoreUnavailable: another segment, of which nobody here knows, is between the two now.
        """
        measure = next(name for name, kind in self._columns(target).items() if kind == "Int64")
        key = ", ".join(f"toString({name.strip()})" for name in self._keys(target)["sorted"].split(","))
        weighed = f"sum({measure} * toInt64(cityHash64({key}) % {_WEIGHTS}))"
        own = f"`{_AGAIN}{target.name}`"
        hours = f"SELECT DISTINCT project, use_case, hour FROM {own}"
        first, last = (f"(SELECT {end}(hour) FROM {own})" for end in ("min", "max"))
        rows = (
            f"(SELECT * FROM `{self._name}`.`{target.source}` WHERE (project, use_case) IN (SELECT project, use_case FROM {own})"
            f" AND started_at >= {first} AND started_at < {last} + INTERVAL 1 HOUR{{}})"
        )

        def by_hour(source: str, **parameters: str) -> dict[Any, int]:
            asked = (
                f"SELECT hour, {weighed} AS n FROM {source} WHERE (project, use_case, hour) IN ({hours}) GROUP BY hour"
            )
            return {row["hour"]: int(row["n"]) for row in self._database.rows(asked, parameters)}

        must, held = by_hour(f"({self._reading(target, rows.format(''))})"), by_hour(target.qualified)
        parts: dict[str, int] = {}
        within: dict[Any, str] = {}
        for row in self._database.rows(f"SELECT hour, _partition_id AS id, {weighed} AS n FROM {own} GROUP BY ALL"):
            parts[row["id"]] = parts.get(row["id"], 0) + int(row["n"])
            within[row["hour"]] = row["id"]
        lacking = dict.fromkeys(parts, 0)
        for hour, partition in within.items():
            lacking[partition] += must.get(hour, 0) - held.get(hour, 0)
        beside = {name: {0} for name in parts}  # what the sums may lack of others
        if any(lacking[name] not in {0, part} for name, part in parts.items()):
            of_one = f"({self._reading(target, rows.format(' AND segment = {other:String}'))})"
            for other in self._beside:
                theirs = dict.fromkeys(parts, 0)
                for hour, n in by_hour(of_one, other=other).items():
                    theirs[within[hour]] += n
                for name in (name for name, n in theirs.items() if n and len(beside[name]) <= _MOST_WAYS):
                    beside[name] |= {theirs[name] + less for less in beside[name]}
        return sorted(
            name
            for name, part in parts.items()
            if _lacks_part(lacking=lacking[name], part=part, others=beside[name], table=target.name)
        )

    def _partitions(self, target: Target) -> list[str]:
        rows = self._database.rows(
            "SELECT DISTINCT partition_id AS id FROM system.parts"
            " WHERE database = currentDatabase() AND table = {table:String} AND active ORDER BY id",
            {"table": _AGAIN + target.name},
        )
        return [row["id"] for row in rows]

    def _attach(self, target: Target, partitions: list[str]) -> None:
        for start in range(0, len(partitions), _AT_A_TIME):
            named = {f"p{number}": name for number, name in enumerate(partitions[start : start + _AT_A_TIME])}
            listed = ", ".join(f"ATTACH PARTITION ID {{{name}:String}} FROM `{_AGAIN}{target.name}`" for name in named)
            self._database.command(f"ALTER TABLE {target.qualified} {listed}", parameters=named)

    def _columns(self, target: Target) -> dict[str, str]:
        sql = (
            "SELECT name, type FROM system.columns"
            " WHERE database = {database:String} AND table = {table:String} ORDER BY position"
        )
        found = self._database.rows(sql, {"database": target.database, "table": target.name})
        return {row["name"]: row["type"] for row in found}

    def _number(self, sql: str, parameters: dict[str, Any] | None = None) -> int:
        return int(self._database.rows(sql, parameters or {})[0]["n"])


def _order(made: str) -> str:
    """Give a table's partition, primary and sorting key as it was made with them: partitions move between equals only."""
    found = _ORDER.search(made)
    return found[1] if found else "ORDER BY tuple()"


def _lacks_part(*, lacking: int, part: int, others: Collection[int], table: str) -> bool:
    """Say whether a segment's part is among what a partition's sums lack, where of others they may lack one of these.

    Raises:
        StoreUnavailable: neither, or either, explains it.
    """
    if not lacking:
        return False
    without, within = lacking in others, lacking - part in others
    if without == within:
        raise StoreUnavailable(
            f"a segment's part in {table} cannot be told while others are loaded into the same hours "
            f"({lacking} lacking, {part} of it this segment's, as weighed): asked again soon"
        )
    return within

"""A segment of which nobody can say what is stored: found out target by target, and only what is missing is filled in.

Its token tells only while the tables remember it, and only for the same block. So the segment is inserted beside: into
copies of the targets that stand behind copies of the views, where its rows can be counted. A target that holds as many of
the segment's rows is left as it is; one that lacks them is given the copy's partitions, which wakes no view.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from tocsin_collector.errors import StoreRejected
from tocsin_collector.load.sums import Summed, partitions_lacking
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import STATEMENT_SETTINGS

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
_NO_RIGHT: Final = 497
_AT_A_TIME: Final = 50  # partitions in one statement


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
                self._copy_view(name, select)
            self._insert_into(segment, _AGAIN + source)
        finally:
            for name in others:
                self._database.command(f"DROP TABLE IF EXISTS `{name}` SYNC")
            self._clear(source, targets)

    def _copy_view(self, name: str, select: str) -> None:
        made = f"CREATE MATERIALIZED VIEW `{name}` ENGINE = Null AS {select}"
        try:
            self._database.command(made, settings=STATEMENT_SETTINGS)
        except StoreRejected as error:
            if (
                getattr(error.__cause__, "code", None) != _NO_RIGHT
            ):  # what it reads as its owner is none of ours to read
                raise

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
                settings=STATEMENT_SETTINGS,
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
        return partitions_lacking(
            self._database,
            Summed(
                table=target.qualified,
                copy=f"`{_AGAIN}{target.name}`",
                source=f"`{self._name}`.`{target.source}`",
                measure=next(name for name, kind in self._columns(target).items() if kind == "Int64"),
                key=[name.strip() for name in self._keys(target)["sorted"].split(",")],
                over=lambda rows: self._reading(target, rows),
            ),
            self._beside,
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

"""The page of tables: what a migrated store holds, as the engine itself describes it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from generating.markdown import code, page, prose, table
from generating.table_words import COLUMNS, OWN, PUBLIC, TABLES
from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import migrate, shipped
from tocsin_collector.store.retention import Kept, kept
from tocsin_collector.store.store_address import StoreAddress

_TABLES: Final = """SELECT name, engine, sorting_key, partition_key, comment, create_table_query AS made FROM system.tables
WHERE database = currentDatabase() ORDER BY name"""
_COLUMNS: Final = """SELECT table, name, type, comment FROM system.columns
WHERE database = currentDatabase() ORDER BY table, position"""
_MADE: Final = re.compile(
    r"((?:^--[^\n]*\n)*)^CREATE (?:OR REPLACE )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?(\w+) ", re.MULTILINE
)
_TARGET: Final = re.compile(r" TO (?:`?\w+`?\.)?`?(\w+)`?")
_KEPT: Final = re.compile(r"\. Kept [^.]*$")  # said beside it, as the engine has it
_PASSING: Final = ("Null", "MaterializedView")


def migrated_tables_page() -> str:
    """Write the page of an embedded engine that is made for it: a process can open only one."""
    with TemporaryDirectory() as folder:
        database = Database.open(StoreAddress(path=Path(folder) / "store", database="tocsin"))
        migrate(database, now=datetime.now(tz=UTC))
        written = tables_page(database)
        database.close()
    return written


def tables_page(database: Database) -> str:
    """Write the page of a migrated database.

    Raises:
        ValueError: a table, or a column of a public view, is described nowhere.
    """
    found = database.rows(_TABLES)
    columns: dict[str, list[Mapping[str, Any]]] = {}
    for row in database.rows(_COLUMNS):
        columns.setdefault(row["table"], []).append(row)
    periods = {each.table: each for each in kept(database, (database.address.database,))}
    said = _comments()
    public = [row for name in PUBLIC for row in found if row["name"] == name]
    stored = [row for row in found if row["engine"].endswith("MergeTree")]
    views = [row for row in found if row["engine"] == "View" and row["name"] not in PUBLIC]
    return page(
        "Tables",
        "What the store holds: every view and table with its columns, as the engine describes it after all migrations.",
        "Dashboards and scripts build on the public views: they change only with a major version, and everything else may with any. [Reading what is stored](../reading.md) says how. "
        "On a cluster, rows lie in tables of the same name in the database with `_shard` at its end. How long rows are kept is as shipped; `store.retention` in tocsin.yaml says otherwise.",
        "## Public views",
        *(part for row in public for part in _one(row, columns, PUBLIC[row["name"]], None)),
        "## Tables",
        table(
            ("Table", "Holds", "Kept"),
            (
                (
                    f"[{row['name']}](#{row['name']})",
                    prose(_holds(row, said).partition(". ")[0].rstrip(".")),
                    _period(periods.get(row["name"])),
                )
                for row in stored
            ),
        ),
        *(part for row in stored for part in _one(row, columns, _holds(row, said), periods.get(row["name"]))),
        "## Further views",
        *(part for row in views for part in _one(row, columns, _holds(row, said), None)),
        "## On the way in",
        "Tables that store nothing, and the views by which what is inserted into them comes into the others.",
        table(
            ("Name", "Kind", "Into"),
            (
                (code(row["name"]), "stores nothing" if row["engine"] == "Null" else "view", _into(row))
                for row in found
                if row["engine"] in _PASSING
            ),
        ),
    )


def _one(
    row: Mapping[str, Any], columns: Mapping[str, Sequence[Mapping[str, Any]]], holds: str, period: Kept | None
) -> Iterator[str]:
    name = row["name"]
    yield f"### {name}"
    yield prose(holds)
    if row["sorting_key"]:
        facts = {
            "engine": code(row["engine"]),
            "sorted by": code(row["sorting_key"]),
            "in parts by": code(row["partition_key"]),
            "kept": _period(period),
        }
        yield "; ".join(f"{what}: {value}" for what, value in facts.items() if value) + "."
    meanings = {each["name"]: _meaning(name, each) for each in columns[name]}
    if name in PUBLIC and (missing := [column for column, meaning in meanings.items() if not meaning]):
        raise ValueError(f"expected what {', '.join(missing)} of the public view {name} mean: say it in table_words.py")
    yield table(
        ("Column", "Type", "Holds"),
        ((code(each["name"]), code(each["type"]), prose(meanings[each["name"]])) for each in columns[name]),
    )


def _meaning(table_name: str, column: Mapping[str, Any]) -> str:
    return str(OWN.get(f"{table_name}.{column['name']}") or column["comment"] or COLUMNS.get(column["name"], ""))


def _holds(row: Mapping[str, Any], said: Mapping[str, str]) -> str:
    """Say what a table holds: its own comment, and what its migration says before it."""
    name = row["name"]
    texts = [TABLES[name]] if name in TABLES else [_KEPT.sub("", row["comment"]), said.get(name, "")]
    if not any(texts):
        raise ValueError(f"expected what the table {name} holds: say it in table_words.py")
    return " ".join(f"{text.rstrip('.')}." for text in texts if text)


def _comments() -> dict[str, str]:
    """Give the comments that stand before tables and views in the migrations."""
    found: dict[str, str] = {}
    for migration in shipped():
        for comment, name in _MADE.findall(migration.text):
            if text := " ".join(line.removeprefix("--").strip() for line in comment.splitlines()):
                found[name] = text
    return found


def _period(period: Kept | None) -> str:
    if period is None or period.days is None:
        return "for ever"
    picked = f"; what was picked for review {period.evidence_days} days" if period.evidence_days else ""
    return f"{period.days} days from arrival{picked}"


def _into(row: Mapping[str, Any]) -> str:
    found = _TARGET.search(row["made"].partition(" AS ")[0]) if row["engine"] == "MaterializedView" else None
    return code(found[1]) if found else ""

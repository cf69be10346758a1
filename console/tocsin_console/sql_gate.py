"""What a person's SQL may do: one statement that reads tables.

The engine parses the statement itself (``EXPLAIN AST`` runs nothing), so judge and executor never disagree about what
it says. ``readonly=1`` alone would still allow ``file()``, ``url()`` and ``INTO OUTFILE``.
"""

import re
from collections.abc import Sequence

from tocsin_console.errors import SqlRefused

_FIRST_WORDS = ("SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS")
_ROOTS = frozenset(
    {
        "SelectWithUnionQuery",
        "SelectQuery",
        "ShowTables",
        "ShowColumns",
        "ShowFunctions",
        "ShowIndexes",
        "ShowCreateTableQuery",
        "ShowCreateViewQuery",
        "DescribeQuery",
        "ExistsTableQuery",
        "Explain",
    }
)
# Table functions that neither read outside the store nor run for ever.
_TABLE_FUNCTIONS = frozenset({"numbers", "numbers_mt", "zeros", "generateseries", "generate_series", "values", "view"})
_REFUSED_FUNCTIONS = frozenset(
    {
        "file",
        "getclienthttpheader",
        "getmacro",
        "getserversetting",
        "hascolumnintable",  # with a host, it asks another server
        "joinget",
        "joingetornull",
        "reversednsquery",
        "showcertificate",
        "sleep",
        "sleepeachrow",
    }
)
_REFUSED_PREFIXES = ("ai", "dictget", "dicthas", "dictisin", "filesystem", "catboost")
_SYSTEM_TABLES = frozenset(
    {
        "build_options",
        "collations",
        "columns",
        "data_skipping_indices",
        "data_type_families",
        "database_engines",
        "databases",
        "dictionaries",
        "formats",
        "functions",
        "keywords",
        "merge_tree_settings",
        "merges",
        "metrics",
        "mutations",
        "numbers",
        "one",
        "parts",
        "parts_columns",
        "projections",
        "settings",
        "table_engines",
        "table_functions",
        "tables",
        "time_zones",
    }
)
_HIDDEN_TABLES = frozenset({"ingest_keys"})  # digests of secrets
_SET_TESTS = frozenset({"in", "notin", "globalin", "globalnotin", "nullin", "notnullin"})  # may name a table
# Behind a FORMAT it would belong to the EXPLAIN that judges the statement, and write the file.
_OUTFILE = re.compile(r"OUTFILE", re.IGNORECASE)
_NODE = re.compile(r"^(\s*)(\S+)(?: (\S+))?")


def first_check(sql: str) -> str:
    """Return the one statement without its closing semicolon.

    Raises:
        SqlRefused: there are several, or it does not start as reading does.
    """
    statement = sql.strip().removesuffix(";").rstrip()
    if ";" in statement:
        raise SqlRefused("expected one statement, got a ';' inside it: ask one at a time (in a string, write char(59))")
    if _OUTFILE.search(statement):
        raise SqlRefused(
            "expected no INTO OUTFILE, nor that word in a string: redirect the output of the command instead"
        )
    word = re.match(r"[\s(]*(\w*)", statement)
    first = word.group(1).upper() if word else ""
    if first not in _FIRST_WORDS:
        raise SqlRefused(
            f"expected a statement that reads ({', '.join(_FIRST_WORDS)}), got {first or statement[:20]!r}"
        )
    return statement


def second_check(tree: Sequence[str], *, database: str) -> None:
    """Judge a statement by the syntax tree that the engine made of it.

    Args:
        tree: The lines of ``EXPLAIN AST``, a child one space deeper than its parent.
        database: The only database whose tables may be read, beside a few of ``system``.

    Raises:
        SqlRefused: it names something that reaches beyond the tables.
    """
    path: list[tuple[str, str]] = []  # kinds and names from the root down to the node before
    places: list[int] = []  # of each of them among its siblings
    for line in tree:
        match = _NODE.match(line)
        if match is None:
            continue
        indent, kind, name = len(match.group(1)), match.group(2), match.group(3) or ""
        del path[indent:]
        places[indent:] = [places[indent] + 1 if len(places) > indent else 0]
        if not path and kind not in _ROOTS:
            raise SqlRefused(f"expected a statement that reads, got a {kind}")
        parent = path[-1][0] if path else ""
        _check_node(kind, name, parent=parent, database=database)
        tests = len(path) > 1 and path[-2][0] == "Function" and path[-2][1].lower() in _SET_TESTS
        if kind == "Identifier" and tests and places[-1]:  # what stands before IN is a column
            _check_table(name, database)
        path.append((kind, name))
    if not path:
        raise SqlRefused("expected a statement that the engine can parse, got none")


def refuse_format(tree: Sequence[str]) -> None:
    """Refuse a statement that names its own format, where the format is decided beside it.

    Raises:
        SqlRefused: it does.
    """
    if tree and tree[0].startswith("SelectWithUnionQuery") and any(line.startswith(" Identifier ") for line in tree):
        raise SqlRefused("expected no FORMAT inside the statement: it goes to the end, or beside the statement")


def _check_node(kind: str, name: str, *, parent: str, database: str) -> None:
    lower = name.lower()
    if kind == "Function":
        if parent == "TableExpression" and lower not in _TABLE_FUNCTIONS:
            raise SqlRefused(f"expected tables after FROM, got the function {name}(): it reaches beyond this store")
        if lower in _REFUSED_FUNCTIONS or lower.startswith(_REFUSED_PREFIXES):
            raise SqlRefused(f"the function {name}() is not offered here: it reaches beyond this store, or waits")
    elif kind == "TableIdentifier":
        _check_table(name, database)
    elif kind == "Set" and parent != "Explain":  # there they are EXPLAIN's own options
        raise SqlRefused("expected no SETTINGS in the statement: the limits are fixed")
    elif kind == "ColumnsApplyTransformer":
        raise SqlRefused("APPLY is not offered here: call the function on each column")
    elif kind == "Literal" and parent in _ROOTS - {"SelectQuery"}:
        raise SqlRefused("expected no INTO OUTFILE: redirect the output of the command instead")


def _check_table(name: str, database: str) -> None:
    owner, _, table = name.rpartition(".")
    if owner in {"", database}:
        if table in _HIDDEN_TABLES:
            raise SqlRefused(f"{table} is not readable here: 'tocsin keys' lists what may be known of it")
        return
    if owner.lower() == "information_schema":
        return
    if owner == "system" and table in _SYSTEM_TABLES:
        return
    raise SqlRefused(f"expected tables of {database!r}, got {name}: only those and a few of system are readable here")

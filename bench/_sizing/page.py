"""The table of docs/operations/sizing.md, between its markers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_BEGIN: Final = "<!-- sizing: begin -->"
_END: Final = "<!-- sizing: end -->"
# What each line says, of which numbers; the first topologies have no servers.
_LINES: Final = (
    ("Cores, of the one process", "cores"),
    ("Memory, of the one process", "memory"),
    ("Collectors", "collectors"),
    ("Cores, of all collectors", "collector_cores"),
    ("Memory of each collector", "collector_memory"),
    ("Spool of each, for an hour without ClickHouse", "spool_disk"),
    ("ClickHouse shards", "shards"),
    ("ClickHouse servers, two replicas a shard", "nodes"),
    ("Cores, of all ClickHouse servers", "clickhouse_cores"),
    ("… of each", "cores_each"),
    ("Cores for evaluation, on average", "evaluator_cores"),
    ("Disk a day, one copy", "disk_per_day"),
    ("Disk after 90 days, all copies and room to merge", "disk_90_days"),
    ("… of each ClickHouse server", "disk_each"),
    ("Network to collectors, not packed", "network_in"),
    ("Network into and between ClickHouse servers", "network_clickhouse"),
    ("Segments a second", "inserts_per_s"),
    ("… and shard", "inserts_per_s_and_shard"),
    ("Keeper transactions", "keeper_transactions"),
    ("Keeper cores", "keeper_cores"),
)


def write_table(text: str, made: Mapping[str, Any]) -> str:
    """Put the table and the arithmetic of a computed sizing into a page.

    Raises:
        ValueError: the page has no markers.
    """
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"expected {_BEGIN} and {_END} in the page, each on a line of its own")
    return f"{before}{begin}\n\n{_table(made['topologies'])}\n\n{_arithmetic(made['topologies'])}\n\n{end}{after}"


def _table(topologies: Sequence[Mapping[str, Any]]) -> str:
    named = [{need["name"]: need for need in row["needs"]} for row in topologies]
    lines = [
        _row("", *(row["name"] for row in topologies)),
        _row(*["---"] * (len(topologies) + 1)),
        _row("Spans a second, busiest hour", *(f"{row['spans_per_s']:,.0f}" for row in topologies)),
        _row("Store", *(row["store"] for row in topologies)),
    ]
    for title, name in _LINES:
        if any(name in needs for needs in named):
            lines.append(_row(title, *(_amount(needs.get(name)) for needs in named)))
    lines.append(_row("Gives out first", *(row["first_bottleneck"] for row in topologies)))
    lines.append(_row("Measured", *(row["measured"] for row in topologies)))
    return "\n".join(lines)


def _arithmetic(topologies: Sequence[Mapping[str, Any]]) -> str:
    formulas: dict[str, str] = {}
    inputs: dict[str, tuple[float, str]] = {}
    for row in topologies:
        for need in row["needs"]:
            formulas.setdefault(need["name"], need["formula"])
            for name, each in need["inputs"].items():
                if each["source"] not in {"computed above", "chosen: spans a second at the busiest hour"}:
                    inputs.setdefault(name, (each["value"], each["source"]))
    said = [
        _row("Number", "is"),
        _row("---", "---"),
        *(_row(f"`{name}`", f"`{said}`") for name, said in formulas.items()),
    ]
    known = [
        _row("Input", "value", "from"),
        _row("---", "---:", "---"),
        *(_row(f"`{name}`", f"{value:,.4g}", source) for name, (value, source) in inputs.items()),
    ]
    return "\n".join(["**Formulas**", "", *said, "", "**Inputs** (of a topology's own: see the table)", "", *known])


def _amount(need: Mapping[str, Any] | None) -> str:
    if need is None:
        return "-"
    value, unit = need["value"], need["unit"]
    if unit.startswith("GB") and value >= 1000:
        value, unit = value / 1000, unit.replace("GB", "TB", 1)
    elif unit.startswith("GB") and value < 1:
        value, unit = value * 1000, unit.replace("GB", "MB", 1)
    elif unit == "Mbit/s" and value >= 1000:
        value, unit = value / 1000, "Gbit/s"
    if unit == "cores":
        return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 0.1 else "under 0.1"
    digits = f"{value:,.0f}" if value >= 10 or float(value).is_integer() else f"{value:.2g}"
    return digits if unit in {"pods", "shards", "servers"} else f"{digits} {unit}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"

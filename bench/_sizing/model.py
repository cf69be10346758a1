"""The arithmetic of sizing. Pure: measured figures in, a table of needs out, each number with its formula and inputs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

DAY_S: Final = 86_400
SHORT_LIVED: Final = ("otel_traces", "otel_traces_trace_id_ts", "otel_logs", "call_content")  # 30 days as shipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One number that something is computed from."""

    value: float
    source: str  # results file and name of the figure, or "chosen: why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One computed number."""

    name: str
    value: float
    unit: str
    formula: str  # of names of inputs and of needs above
    inputs: Mapping[str, Input]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """One line of the table: how much comes, and how tocsin runs."""

    name: str
    spans_per_s: float  # at the busiest hour
    embedded: bool
    shards: int  # 0: as many as are needed
    replicas: int
    collectors: int  # at least so many
    measured: str  # what of it was run


TOPOLOGIES: Final = (
    Topology(name="laptop", spans_per_s=10, embedded=True, shards=1, replicas=1, collectors=1,
             measured="run at 27,000 to 59,000 spans/s on two cores; at 10 only its idle use is felt"),
    Topology(name="one VM", spans_per_s=2_000, embedded=True, shards=1, replicas=1, collectors=1,
             measured="run at 15,000 calls/s for 30 minutes on two cores; 30 days of disk are extrapolated"),
    Topology(name="three collectors, ClickHouse 2 x 2", spans_per_s=50_000, embedded=False, shards=2, replicas=2, collectors=3,
             measured="cost per span measured on a 2 x 2 cluster that shared two cores; the rate is extrapolated"),
    Topology(name="a million spans a second", spans_per_s=1_000_000, embedded=False, shards=0, replicas=2, collectors=3,
             measured="nothing of this size was run: every number is extrapolated linearly"),
)  # fmt: skip


@dataclass(slots=True)
class Sheet:
    """Works needs out one after the other and remembers how."""

    known: dict[str, Input]
    needs: list[Need] = field(default_factory=list)

    def work_out(self, name: str, unit: str, formula: str, function: Callable[..., float], *names: str) -> float:
        """Compute one number from known ones by name, and keep it with its formula."""
        inputs = {each: self.known[each] for each in names}
        value = function(*(inputs[each].value for each in names))
        self.needs.append(Need(name=name, value=value, unit=unit, formula=formula, inputs=inputs))
        self.known[name] = Input(value=value, source="computed above")
        return value


def needs_of(topology: Topology, measured: Mapping[str, Input], chosen: Mapping[str, Input]) -> list[Need]:
    """Work out what one topology needs.

    Args:
        topology: Which.
        measured: Figures of results, by the names used here.
        chosen: What nobody can measure: head-room, size of machines, share of calls.
    """
    rate = Input(value=topology.spans_per_s, source="chosen: spans a second at the busiest hour")
    replicas = Input(value=topology.replicas, source="chosen: copies of every span")
    at_least = Input(value=topology.collectors, source="chosen: so that one may be away")
    sheet = Sheet({**measured, **chosen, "spans_per_s": rate, "replicas": replicas, "at_least": at_least})
    work_out = sheet.work_out
    _disk(sheet)
    if topology.embedded:
        work_out(
            "cores", "cores", "spans_per_s * (embedded_cpu_s + embedded_merging_cpu_s) / 1e6 * headroom",
            lambda s, a, b, h: s * (a + b) / 1e6 * h,
            "spans_per_s", "embedded_cpu_s", "embedded_merging_cpu_s", "headroom",
        )  # fmt: skip
        work_out("memory", "GB", "embedded_peak_mb / 1000", lambda mb: mb / 1000, "embedded_peak_mb")
    else:
        _servers(sheet, topology)
    work_out("evaluator_cores", "cores", "evaluators_cpu_s * 24 / 86,400 * use_cases / 100",
             lambda cpu_s, cases: cpu_s * 24 / DAY_S * cases / 100, "evaluators_cpu_s", "use_cases")  # fmt: skip
    work_out("network_in", "Mbit/s", "spans_per_s * wire_bytes * 8 / 1e6",
             lambda s, b: s * b * 8 / 1e6, "spans_per_s", "wire_bytes")  # fmt: skip
    if not topology.embedded:
        work_out("network_clickhouse", "Mbit/s", "spans_per_s * clickhouse_received_bytes * 8 / 1e6",
                 lambda s, b: s * b * 8 / 1e6, "spans_per_s", "clickhouse_received_bytes")  # fmt: skip
    return sheet.needs


def _servers(sheet: Sheet, topology: Topology) -> None:
    work_out = sheet.work_out
    work_out("collectors", "pods",
             "max(at_least, ceil(spans_per_s * collector_cpu_s / 1e6 * headroom / cores_per_collector), ceil(spans_per_s * headroom / acked_per_s))",
             lambda s, c, h, p, most, m: max(m, math.ceil(s * c / 1e6 * h / p), math.ceil(s * h / most)),
             "spans_per_s", "collector_cpu_s", "headroom", "cores_per_collector", "acked_per_s", "at_least")  # fmt: skip
    work_out("inserts_per_s", "/s", "max(collectors / segment_age_s, spans_per_s * wire_bytes / segment_bytes)",
             lambda n, age, s, b, most: max(n / age, s * b / most),
             "collectors", "segment_age_s", "spans_per_s", "wire_bytes", "segment_bytes")  # fmt: skip
    work_out("collector_cores", "cores", "(spans_per_s * collector_cpu_s / 1e6 + inserts_per_s * collector_cpu_s_per_segment) * headroom",
             lambda s, c, i, k, h: (s * c / 1e6 + i * k) * h,
             "spans_per_s", "collector_cpu_s", "inserts_per_s", "collector_cpu_s_per_segment", "headroom")  # fmt: skip
    work_out("collector_memory", "GB", "collector_peak_mb / 1000 * memory_headroom",
             lambda mb, h: mb / 1000 * h, "collector_peak_mb", "memory_headroom")  # fmt: skip
    work_out("spool_disk", "GB", "spans_per_s * wire_bytes * outage_s / 1e9 / collectors",
             lambda s, b, o, n: s * b * o / 1e9 / n, "spans_per_s", "wire_bytes", "outage_s", "collectors")  # fmt: skip
    work_out("merging_cpu_s", "CPU s a million spans", "clickhouse_merging_cpu_s / merges_seen * merges_of_a_byte",
             lambda c, seen, all_of_them: c / seen * all_of_them,
             "clickhouse_merging_cpu_s", "merges_seen", "merges_of_a_byte")  # fmt: skip
    work_out("clickhouse_cores", "cores",
             "(spans_per_s * (clickhouse_cpu_s + merging_cpu_s) / 1e6 + inserts_per_s * clickhouse_cpu_s_per_segment) * headroom",
             lambda s, a, b, i, k, h: (s * (a + b) / 1e6 + i * k) * h,
             "spans_per_s", "clickhouse_cpu_s", "merging_cpu_s", "inserts_per_s", "clickhouse_cpu_s_per_segment", "headroom")  # fmt: skip
    if topology.shards:
        sheet.known["given"] = Input(value=topology.shards, source="chosen: the topology")
        work_out("shards", "shards", "given", lambda n: n, "given")
    else:
        work_out("shards", "shards",
                 "ceil(max(clickhouse_cores / (cores_per_node * replicas), disk_90_days / (disk_per_node * replicas)))",
                 lambda c, n, r, d, most: math.ceil(max(c / (n * r), d / (most * r))),
                 "clickhouse_cores", "cores_per_node", "replicas", "disk_90_days", "disk_per_node")  # fmt: skip
    work_out("nodes", "servers", "shards * replicas", lambda s, r: s * r, "shards", "replicas")
    work_out("cores_each", "cores", "clickhouse_cores / nodes", lambda c, n: c / n, "clickhouse_cores", "nodes")
    work_out("disk_each", "GB", "disk_90_days / nodes", lambda d, n: d / n, "disk_90_days", "nodes")
    work_out("inserts_per_s_and_shard", "/s", "inserts_per_s / shards", lambda i, s: i / s, "inserts_per_s", "shards")
    work_out("keeper_transactions", "/s", "inserts_per_s * keeper_transactions_per_segment",
             lambda i, t: i * t, "inserts_per_s", "keeper_transactions_per_segment")  # fmt: skip
    work_out("keeper_cores", "cores", "inserts_per_s * keeper_cpu_s_per_segment * headroom",
             lambda i, c, h: i * c * h, "inserts_per_s", "keeper_cpu_s_per_segment", "headroom")  # fmt: skip


def _disk(sheet: Sheet) -> None:
    work_out = sheet.work_out
    work_out("disk_per_day", "GB", "spans_per_s * day_share * 86,400 * (short_bytes + long_bytes) / 1e9",
             lambda s, d, a, b: s * d * DAY_S * (a + b) / 1e9, "spans_per_s", "day_share", "short_bytes", "long_bytes")  # fmt: skip
    work_out("disk_90_days", "GB",
             "spans_per_s * day_share * 86,400 * (short_bytes * short_days + long_bytes * 90) / 1e9 * replicas * disk_headroom",
             lambda s, d, a, b, n, r, h: s * d * DAY_S * (a * n + b * 90) / 1e9 * r * h,
             "spans_per_s", "day_share", "short_bytes", "long_bytes", "short_days", "replicas", "disk_headroom")  # fmt: skip


def bottleneck(needs: Sequence[Need], topology: Topology) -> str:
    """Say what gives out first, by what the numbers say against a machine of today."""
    value = {need.name: need.value for need in needs}
    if topology.embedded:
        if value["cores"] < 0.01:
            return "nothing: it idles"
        return (
            "disk: raw spans are 30 days of it" if value["cores"] < 1 else "cores: receiving and the engine share them"
        )
    if value["disk_each"] > 10_000:
        return "disk: raw spans are 30 days of it on every replica; shorten their retention, or sample spans that are no calls"
    return "ClickHouse's cores: inserting and merging"


def as_json(needs: Sequence[Need]) -> list[dict[str, Any]]:
    """Write needs for machines: every number with its formula and what went into it."""
    return [
        {
            "name": need.name,
            "value": need.value,
            "unit": need.unit,
            "formula": need.formula,
            "inputs": {name: {"value": each.value, "source": each.source} for name, each in need.inputs.items()},
        }
        for need in needs
    ]

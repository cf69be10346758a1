"""Clocks that are wrong: the senders' by years and in impossible ways, and the collector's own, which jumps."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from _faults.contract import Fault, FaultResult, Scale
from _faults.node import Node, data_folder
from _faults.proof import prove, unbalanced
from _faults.sender import Requests, send_once

_YEAR_NS: Final = 365 * 86_400 * 10**9
_JUMPS: Final = (0, -10 * _YEAR_NS, 0, 10 * _YEAR_NS, 0)  # of the collector's clock
_ODD: Final = 10  # kinds of spans
_CLAMPED: Final = 2  # of them end past what a table holds


def clocks(scale: Scale, seed: int) -> FaultResult:
    """Send spans at 0, ten years ago and ahead, past int64, ended before they began, with NaN in them; jump meanwhile.

    The collector's clock jumps between the two lines that the load ledger writes of a segment, so that the second is
    older than the first.
    """
    per_jump, batch = scale.pick(full=(200, 100), short=(2, 20))
    requests = Requests(batch=batch, seed=seed, change=_make_odd)
    acked: list[int] = []
    with data_folder() as folder, Node(folder=folder, settings={"segment_max_age_s": 0.2}) as node:
        for jump, offset_ns in enumerate(_JUMPS):
            node.ask("loader", runs=False)
            node.ask("clock", offset_ns=offset_ns)
            serials = range(jump * per_jump, (jump + 1) * per_jump)
            send_once(node.port, [requests.numbered(serial) for serial in serials])
            acked += serials
            while int(node.ask("rows", sql=_WAITING)["rows"][0]["n"]) == 0:
                time.sleep(0.02)
            node.ask("clock", offset_ns=_JUMPS[(jump + 1) % len(_JUMPS)])
            node.ask("loader", runs=True)
            node.settled()
        node.ask("clock", offset_ns=0)
        stats = node.settled()
        before = node.ask("watermark")
        ends_well = node.end() == 0
        node.start()
        after = node.ask("watermark")
        proof = prove(node.ask("held"), set(acked), batch=batch)
        [looked] = node.ask("rows", sql=_LOOK)["rows"]
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=int(not ends_well),
        counters={
            "acked_spans": len(acked) * batch,
            "stored_rows": proof.rows,
            "jumps": len(_JUMPS) - 1,
            "clamped_off": abs(int(looked["clamped"]) - len(acked) * batch * _CLAMPED // _ODD),
            "not_finite": int(looked["not_finite"]),
            "still_begun": int(looked["begun"]),
            "watermark_fell_back": int(after["data_complete_to"] < before["data_complete_to"]),
            "ledger_off": proof.ledger_off + unbalanced(stats),
        },
        goals=dict.fromkeys(("clamped_off", "not_finite", "still_begun", "watermark_fell_back", "ledger_off"), "== 0"),
    )


_WAITING: Final = """
SELECT count() AS n FROM (SELECT segment FROM load_ledger GROUP BY segment HAVING countIf(state = 'loaded') = 0)
"""
_LOOK: Final = """
SELECT
    countIf(has(flags, 'timestamp_clamped')) AS clamped,
    countIf(NOT isFinite(confidence) OR NOT isFinite(weight) OR arrayExists(v -> NOT isFinite(v), mapValues(input_numbers)))
        AS not_finite,
    (SELECT count() FROM load_ledger FINAL WHERE state = 'begun') AS begun
FROM ai_calls
"""


def _make_odd(request: Any) -> None:
    """Change each of the spans of a request in one way."""
    for index, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
        now_ns = span.start_time_unix_nano
        times = {
            0: (0, 0),
            1: (now_ns - 10 * _YEAR_NS, now_ns - 10 * _YEAR_NS + 1),
            2: (now_ns + 10 * _YEAR_NS, now_ns + 10 * _YEAR_NS + 1),
            3: (2**63 + 5, 2**64 - 1),
            4: (now_ns, 2**64 - 1),
            5: (now_ns, now_ns - 1),
            6: (now_ns, 0),
        }
        span.start_time_unix_nano, span.end_time_unix_nano = times.get(index % _ODD, (now_ns, now_ns + 1))
        values = {
            7: {
                "tocsin.confidence": float("nan"),
                "tocsin.cost.amount": float("nan"),
                "tocsin.input.f00": float("nan"),
            },
            8: {"tocsin.confidence": float("inf"), "tocsin.cost.amount": 1e300, "tocsin.input.f01": float("-inf")},
            9: {"tocsin.confidence": -1.0, "tocsin.cost.amount": -1e-300, "tocsin.input.f02": 1e308},
        }.get(index % _ODD, {})
        for attribute in span.attributes:
            if attribute.key in values:
                attribute.value.double_value = values[attribute.key]


FAULTS: Mapping[str, Fault] = MappingProxyType({"clocks": clocks})

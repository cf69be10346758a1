"""The first page: a row for every use case, and whether it is still right."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request

from tocsin_console.arrivals import arrivals
from tocsin_console.at_a_glance import at_a_glance, clock_of, headline
from tocsin_console.no_calls import USUAL, why_no_calls
from tocsin_console.parts import Parts
from tocsin_console.web.notices import first_calls, notices
from tocsin_console.web.page import Document, Page

_VERDICTS: Final = ("wrong", "drifting", "unverified", "collecting", "right")
_PLAIN: Final = (
    *(
        "project",
        "use_case",
        "verdict",
        "reason",
        "needs_you",
        "guard",
        "owner",
        "calls",
        "calls_24h",
        "error_share_24h",
    ),
    *("latency_p95_ms", "unpriced_24h", "time_to_notice"),
)


def overview_pages(parts: Parts) -> list[Page]:
    """List the one page."""

    def read(request: Request) -> Document:
        rows = at_a_glance(parts)
        wanted = request.query_params.get("verdict", "")
        counts = {word: sum(row["verdict"] == word and not row["is_test"] for row in rows) for word in _VERDICTS}
        return {
            "headline": headline(rows),
            "counts": counts,
            "verdict": wanted if wanted in counts else "",
            "use_cases": [row for row in rows if wanted not in counts or row["verdict"] == wanted],
            "as_of": clock_of(parts),
            "notices": notices(parts),
            "first_calls": first_calls(parts, rows),
            "beginning": _beginning(
                parts,
                has_own=any(row["calls"] and not row["is_test"] for row in rows),
                has_any=any(row["calls"] for row in rows),
            ),
        }

    return [
        Page(path="/", section="overview", template="overview.html.j2", read=read, rows=_rows, twin="/overview"),
    ]


def _beginning(parts: Parts, *, has_own: bool, has_any: bool) -> dict[str, Any] | None:
    """Say how to see the first call, and why there is none yet; None once there is one of the user's own."""
    if has_own:
        return None
    grpc = parts.addresses.get("grpc", "")
    option = "" if not grpc or grpc == str(USUAL) else f"--endpoint http://{grpc} "
    return {
        "run_command": f"tocsin run {option}-- python service.py",
        "test_command": "tocsin send-test",
        "has_any": has_any,
        "causes": [] if has_any else [{"said": each.said, "do": each.do} for each in why_no_calls(arrivals(parts))],
    }


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    return [
        {name: each[name] for name in _PLAIN}
        | {
            f"quality_{name}": each["quality"] and each["quality"][name]
            for name in ("measure", "value", "lower", "upper", "n")
        }
        | {f"drift_{name}": each["drift"] and each["drift"][name] for name in ("field", "psi", "fields_moved")}
        | {"cost_24h": each["cost_24h"], "month": each["month"]}
        | {"reviews_due": each["review"] and each["review"]["due"], "alerts_open": len(each["alerts"])}
        for each in document["use_cases"]
    ]

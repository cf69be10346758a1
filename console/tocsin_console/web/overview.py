"""The first page: a row for every use case, and whether it is still right."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from tocsin_alerts.channels import LogChannel
from tocsin_console.drill.standing import time_to_notice
from tocsin_console.parts import Parts
from tocsin_console.web.page import Document, Page


def overview_pages(parts: Parts) -> list[Page]:
    """List the one page."""

    def read(_request: Request) -> Document:
        return {
            "use_cases": [each | {"time_to_notice": time_to_notice(each["drill"])} for each in parts.book.use_cases()],
            "notices": _notices(parts),
            "grpc": parts.addresses.get("grpc", ""),
        }

    return [
        Page(path="/", section="overview", template="overview.html.j2", read=read, rows=_rows, twin="/overview"),
    ]


def _notices(parts: Parts) -> list[str]:
    heard = any("page" in each.severities and not isinstance(each, LogChannel) for each in parts.channels)
    return [] if heard else ["Nobody is told: no page channel is configured."]


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    return [
        {name: each[name] for name in ("project", "use_case", "verdict", "reason", "guard", "calls", "owner")}
        | {
            f"{what}_{name}": sample[name] if (sample := each[what]) else None
            for what in ("accuracy", "estimate")
            for name in ("value", "lower", "upper", "n")
        }
        | {"time_to_notice": each["time_to_notice"]}
        for each in document["use_cases"]
    ]

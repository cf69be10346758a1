"""Whether tocsin itself is well: its books, its parts and what they did last, its channels, and every change that people made."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import Route

from tocsin_alerts.durations import format_duration
from tocsin_console.api.answering import text_of
from tocsin_console.api.health import readiness
from tocsin_console.checkup import urgent
from tocsin_console.errors import UsageProblem
from tocsin_console.heartbeats import in_words
from tocsin_console.parts import Parts
from tocsin_console.snapshot import standing
from tocsin_console.web.forms import Form, form_route
from tocsin_console.web.page import Document, Page

_MOST: Final = 100
_DONE: Final = {"tested": "The channel took a message marked TEST, and its end."}
_FILTERS: Final = ("actor", "action", "about")


def system_pages(parts: Parts) -> list[Page]:
    """List the one page."""

    def read(request: Request) -> Document:
        asked = {name: request.query_params.get(name, "").strip() for name in _FILTERS}
        found = standing(parts)
        return {
            **found,
            "loops": {name: asdict(each) for name, each in found["loops"].items()},
            "heartbeats_in_words": in_words(found["heartbeats"]),
            "reasons": _reasons(parts, found),
            "ledger_in_words": _balance(found["ledger"]),
            "channels": _channels(found, parts.book.ask("channel_health")),
            "retention": _retention(parts),
            "audit": parts.book.ask("audit", {**asked, "most": _MOST}),
            "audit_choices": parts.book.ask("audit_choices")[0],
            "asked": asked,
            "done": _DONE.get(request.query_params.get("done", ""), ""),
        }

    return [Page(path="/system", section="system", template="system.html.j2", read=read, rows=_rows)]


def system_routes(parts: Parts) -> list[Route]:
    """List the one form."""

    def try_channel(_request: Request, form: Form) -> str:
        name = text_of(form, "channel")
        for each in parts.try_channels(name):
            if each.channel == name and each.error:
                raise UsageProblem(f"{name} did not take the test, after {each.took_s:.1f} s: {each.error}")
        return "/system?done=tested#channels"

    return [form_route("/system/test-channel", try_channel)]


def _reasons(parts: Parts, found: Mapping[str, Any]) -> list[dict[str, str]]:
    """Say what is wrong and what mends it, as ``tocsin doctor`` does; first what keeps it from working at all."""
    checks = readiness(parts)["checks"]
    said = [_reason(name, checks[name], "look at the log") for name in ("store", "spool") if checks[name] != "ok"]
    if not found["ledger"]["balances"]:
        said.append(_reason("the books", _balance(found["ledger"]), "tocsin doctor"))
    loops = {name: asdict(each) for name, each in found["loops"].items()}
    said += [
        _reason(each.name, each.said, each.do) for each in urgent({**found, "loops": loops, "reviews_overdue": []})
    ]
    if found["disk"]["warning"]:
        said.append(_reason("disk", found["disk"]["warning"], "tocsin disk"))
    return said + [
        _reason(
            each["rule"],
            f"{each['state']} since {each['since']:%Y-%m-%d %H:%M} UTC: {each['reason']}",
            "tocsin alerts list",
        )
        for each in found["itself"]
    ]


def _reason(what: str, said: str, do: str) -> dict[str, str]:
    return {"what": what, "said": said, "do": do}


def _balance(ledger: Mapping[str, Any]) -> str:
    """Say in words whether everything that was received is somewhere."""
    if ledger["balances"]:
        return "Everything received is stored, or it is counted where it went."
    said = [f"{ledger['unaccounted']:,} items of those received are nowhere"] if ledger["unaccounted"] else []
    for name, each in ledger["kinds"].items():
        if each["difference"]:
            more = "more" if each["difference"] < 0 else "fewer"
            said.append(f"the tables hold {abs(each['difference']):,} {more} {name} than the load ledger says")
    return f"They do not balance: {'; '.join(said)}."


def _channels(found: Mapping[str, Any], ever: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put what is known of each channel beside its name: since the start, and from the outbox ever."""
    health = {each["channel"]: each for each in found["delivery"]["channels"]}
    kept = {row["channel"]: row for row in ever}
    unknown = dict.fromkeys(("sent", "dead", "failed_attempts", "waiting", "last_error"))
    never = {"taken_ever": 0, "dead_ever": 0, "last_taken": None, "last_error_ever": ""}
    return [
        {**each, **unknown, **health.get(each["name"], {}), **never, **kept.get(each["name"], {})}
        for each in found["channels"]
    ]


def _retention(parts: Parts) -> dict[str, str]:
    kept = {
        table: "for ever" if period is None else format_duration(period)
        for table, period in parts.config.retention.items()
    }
    evidence = {"evidence": parts.config.evidence, "reviewed content": parts.config.reviewed_content}
    return kept | {name: format_duration(period) for name, period in evidence.items() if period is not None}  # fmt: skip


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    return list(document["audit"])

"""The rules: what each judges and how it fares; and one of them, tried on stories and on history."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from tocsin_alerts.documents import suggest
from tocsin_alerts.jobs import is_of_now
from tocsin_alerts.report.facts import statement as report
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import SHIPPED
from tocsin_alerts.runbook import shipped_runbooks
from tocsin_console.alerting import back
from tocsin_console.heartbeats import did
from tocsin_console.parts import Parts
from tocsin_console.web.charts import chart_route
from tocsin_console.web.page import Document, Page
from tocsin_console.web.rule_trials import Trials, stories, would_say
from tocsin_console.web.rule_words import NOISY_TIMES, NOISY_VERDICTS, in_words

_MONTH: Final = timedelta(days=28)
_LOOKED: Final = timedelta(days=60)
_EVER: Final = datetime(1970, 1, 2, tzinfo=UTC)
_MOST: Final = 50  # incidents of one rule
_BACK: Final = timedelta(days=60)  # of a backtest, where nobody says
_SHOWS: Final = ("tests", "messages")


def rules_pages(parts: Parts, trials: Trials) -> list[Page]:
    """List the list, and the page of one rule."""

    def listing(_request: Request) -> Document:
        found = _fares(parts)
        return {
            "rules": sorted((found[rule.name] for rule in parts.rule_book), key=_by_need),
            "noisy_times": NOISY_TIMES,
            "noisy_verdicts": NOISY_VERDICTS,
            "rules_dir": parts.config.rules_dir,
        }

    def one(request: Request) -> Document:
        rule, asked = _named(parts, request), request.query_params
        show, since = asked.get("show", ""), asked.get("since", "")
        until = asked.get("until", "")
        return {
            **_fares(parts)[rule.name],
            "yaml": _source(rule),
            "sql": str(getattr(rule.source, "sql", "")),
            "has_runbook": rule.name in shipped_runbooks(),
            "says": [{"name": name, "says": said} for name, said in in_words(rule)],
            "alerts": [each for each in parts.book.alerts() if each["rule"] == rule.name],
            "incidents": parts.book.history(_EVER, rule=rule.name, most=_MOST),
            "is_of_now": is_of_now(rule.source),  # of tocsin itself: it has no past
            "show": show if show in _SHOWS else "",
            "stories": stories(rule, parts.config.rules_dir) if show == "tests" else None,
            "messages": would_say(rule, parts.rule_book, parts.config) if show == "messages" else None,
            "backtest": trials.backtest(rule.name, since, until) if since else None,
            "since": since or f"{back(parts, _BACK):%Y-%m-%d}",
            "until": until,
        }

    return [
        Page(path="/rules", section="rules", template="rules.html.j2", read=listing, rows=_rows),
        Page(path="/rules/{name}", section="rules", template="rule.html.j2", read=one, rows=_past),
    ]


def rules_routes(parts: Parts, trials: Trials) -> list[Route]:
    """List the one chart."""

    def read(request: Request) -> Mapping[str, Any] | None:
        asked = request.query_params
        return trials.figure(_named(parts, request).name, asked.get("since", ""), asked.get("until", ""))

    return [chart_route("/rules/{name}/backtest.svg", read, parts.figures)]


def _fares(parts: Parts) -> dict[str, dict[str, Any]]:
    """Say of each rule what it is, and how it fares."""
    ask = parts.book.ask
    now = back(parts, timedelta())
    runs = {row["rule"]: row for row in ask("rule_last_runs", {"since": back(parts, _LOOKED)})}
    stands = {row["rule"]: row for row in ask("rule_standings")}
    fired = {
        row["rule"]: row for row in parts.book.rows(report("fired"), {"since": now - _MONTH, "until": now + _MONTH})
    }
    said = {row["rule"]: row for row in ask("rule_verdicts")}
    return {
        rule.name: _described(
            rule,
            runs=runs.get(rule.name, {}),
            stands=stands.get(rule.name, {}),
            fired=fired.get(rule.name, {}),
            said=said.get(rule.name, {}),
            rules_dir=parts.config.rules_dir,
        )
        for rule in parts.rule_book
    }


def _described(
    rule: Rule,
    *,
    runs: Mapping[str, Any],
    stands: Mapping[str, Any],
    fired: Mapping[str, Any],
    said: Mapping[str, Any],
    rules_dir: Path,
) -> dict[str, Any]:
    text = rule.text
    series, ever, lately = (
        int(of.get(name) or 0) for of, name in ((stands, "series"), (fired, "ever"), (fired, "in_week"))
    )
    noise, actionable = int(said.get("noise") or 0), int(said.get("actionable") or 0)
    is_failing = runs.get("last_state") == "failed"
    notes = ["failing"] if is_failing else []
    notes += ["noisy"] if lately >= NOISY_TIMES or (noise >= NOISY_VERDICTS and noise > actionable) else []
    notes += ["never fired"] if not ever else []
    return {
        "rule": rule.name, "summary": text.summary, "severity": text.severity, "evaluator": rule.source.name,
        "every_s": text.every.total_seconds(), "when": text.when, "guard": text.guard, "hash": rule.hash,
        "unit": str(getattr(rule.source, "unit", "")),
        "source": "shipped" if Path(rule.path).parent == SHIPPED else _within(Path(rule.path), rules_dir),
        "last_slot": runs.get("last_slot"), "last_at": runs.get("last_at"), "last_error": runs.get("last_error", "") if is_failing else "",
        "did": did(runs) if runs else None,
        "rows_read": runs.get("last_read"),
        "series": series, "firing": int(stands.get("firing") or 0), "pending": int(stands.get("pending") or 0),
        "without_evidence": int(stands.get("without_evidence") or 0),
        "last_value": stands.get("last_value") if series == 1 else None,
        "fired": ever, "fired_lately": lately, "noise": noise, "actionable": actionable,
        "notes": notes,
    }  # fmt: skip


def _by_need(each: Mapping[str, Any]) -> tuple[Any, ...]:
    """Put first what fails, then what fires, then pages."""
    return "failing" not in each["notes"], not each["firing"], each["severity"] != "page", each["rule"]


def _named(parts: Parts, request: Request) -> Rule:
    name = request.path_params["name"]
    rule = parts.rule_book.get(name)
    if rule is None:
        raise HTTPException(404, f"No rule is called {name[:80]!r}: {suggest(name, sorted(parts.rule_book.rules))}.")
    return rule


def _within(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder.parent)) if path.is_relative_to(folder.parent) else path.name


def _source(rule: Rule) -> str:
    """Give the file; empty where it is gone."""
    try:
        return Path(rule.path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    return list(document["rules"])


def _past(document: Document) -> Sequence[Mapping[str, Any]]:
    return list(document["incidents"])

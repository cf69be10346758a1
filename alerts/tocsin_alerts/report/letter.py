"""Writes the week as text, and as one page of HTML that needs nobody else: for a file and a mail."""

from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import jinja2

from tocsin_alerts.plain import harmless
from tocsin_alerts.report.weekly import Week


def subject(week: Week) -> str:
    """Give the subject of the mail: what there is to do first."""
    pages, decisions = len(week.pages), len(week.decisions)
    asked = f"{decisions} decision{'s' * (decisions != 1)}" if decisions else "nothing to decide"
    return f"tocsin, the week to {week.until:%Y-%m-%d}: {asked}, {pages} page{'s' * (pages != 1)}"


def as_text(week: Week) -> str:
    """Write it for a terminal and for mail readers without HTML."""
    return _environment().get_template("weekly.txt.j2").render(week=harmless(week))


def as_html(week: Week) -> str:
    """Write it as one document, with its style in it."""
    return _environment().get_template("weekly.html.j2").render(week=harmless(week), style=style())


@cache
def style() -> str:
    """Give the stylesheet."""
    return resources.files("tocsin_alerts").joinpath("report", "weekly.css").read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("tocsin_alerts", "report"),
        autoescape=jinja2.select_autoescape(("html.j2",), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"day": _day, "minutes": _minutes, "share": _share, "money": _money, "named": _named}
    return made


def _day(when: datetime) -> str:
    return f"{when:%Y-%m-%d}"


def _minutes(minutes: float | None) -> str:
    if minutes is None:
        return "unknown"
    return f"{minutes:.0f} min" if minutes < 180 else f"{minutes / 60:.1f} h"


def _share(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"


def _money(amount: float | None, currency: str) -> str:
    return "unknown" if amount is None else f"{amount:,.2f} {currency}".strip()


def _named(each: Any) -> str:
    project, use_case = (each["project"], each["use_case"]) if isinstance(each, dict) else (each.project, each.use_case)
    return str(use_case) if project in ("default", "") else f"{project}/{use_case}"

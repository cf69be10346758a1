"""A silence that a person asks for, in a form or at the command line: everything it names has to exist."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tocsin_alerts.documents import suggest
from tocsin_alerts.matchers import Matcher
from tocsin_alerts.silences import Silence
from tocsin_console.api.answering import duration_of, time_of
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts


def silence(parts: Parts, said: Mapping[str, Any], *, by: str) -> Silence:
    """Make one.

    Args:
        parts: Of a running tocsin.
        said: ``use_case``, ``rule``, ``matchers``, ``project``, ``because``, ``from``, and ``for`` or ``until``.
        by: A person.

    Raises:
        UsageProblem: there is no such use case or rule, or something cannot be read.
        SilenceRefused: see :meth:`~tocsin_alerts.silences.Silences.add`.
    """
    use_case, rule = str(said.get("use_case") or ""), str(said.get("rule") or "")
    _require(use_case, {each["use_case"] for each in parts.book.standings()}, "a use case")
    _require(rule, {str(each["rule"]) for each in parts.rules}, "a rule")
    since = _time(said, "from") or parts.now()
    try:
        matchers = [Matcher.parse(each) for each in said.get("matchers") or ()]
    except (TypeError, ValueError) as error:
        raise UsageProblem(str(error)) from error
    until = _time(said, "until")
    return parts.silences.add(
        duration_of(said, "for") if until is None else until - since,
        project=str(said.get("project") or "default"),
        use_case=use_case,
        rule=rule,
        matchers=matchers,
        since=since,
        by=by,
        because=str(said.get("because") or ""),
    )


def _time(said: Mapping[str, Any], name: str) -> datetime | None:
    """Read a time, of UTC unless it says otherwise; None where none is given."""
    given = said.get(name)
    if not given:
        return None
    return time_of(str(given), repr(name))


def _require(name: str, known: set[str], what: str) -> None:
    """Refuse a name that nothing has: a silence with a slip in it silences nothing, and nobody would notice."""
    if name and name not in known:
        raise UsageProblem(f"expected {what} that there is, got {name!r}: {suggest(name, sorted(known))}")

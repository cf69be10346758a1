"""Evidence for messages, looked up in a client of its own and within a time."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, time
from typing import Any, Final

from tocsin_alerts.briefing import Findings
from tocsin_alerts.composing import Investigator
from tocsin_alerts.course import Subject, course_of
from tocsin_alerts.evaluator import Evaluator
from tocsin_alerts.evidence import gather
from tocsin_alerts.explanation.explain import Explanation, explain
from tocsin_alerts.explanation.words import changed, sentences, story
from tocsin_alerts.impact import impact_of, retraining_of
from tocsin_alerts.message import Point
from tocsin_collector.store.database import Database

_log = logging.getLogger(__name__)
_GATHERED: Final = (
    *("since", "quality", "estimated", "calls_per_day", "history", "days"),
    *("drifted", "worst_segment", "examples"),
)
TIME_S: Final = 10  # of one query: a message without evidence is better than one that comes too late


def investigator(database: Database, evaluators: Mapping[str, Evaluator]) -> Investigator:
    """Make what delivery asks for evidence; :func:`client_for` makes the client."""

    def look(
        *, project: str, use_case: str, slot: datetime, onset: datetime, subject: Subject | None = None
    ) -> Findings:
        stream: dict[str, Any] = {"project": project, "use_case": use_case, "slot": slot}
        found = gather(database, evaluators, **stream, onset=onset)
        evidence = {name: getattr(found, name) for name in _GATHERED}
        why = _explained(database, **stream)
        if why is not None and why.onset is not None:
            evidence["since"] = datetime.combine(why.onset.day, time(), tzinfo=UTC)
        evidence |= _consequences(database, **stream, since=min(evidence["since"], slot))
        if subject is not None:
            evidence |= {"course": _course(database, subject, **stream), "course_of": subject.fingerprint}
        if why is None:
            return Findings(**evidence)
        return Findings(**evidence, explanation=story(why), changed=changed(why), release=why.release)

    return look


def _consequences(database: Database, **stream: Any) -> dict[str, Any]:
    """Look up what it costs and what was set off, each for itself: what cannot be looked up is not known."""
    found: dict[str, Any] = {}
    for name, look in (("impact", impact_of), ("retraining", retraining_of)):
        try:
            found[name] = look(database, **stream)
        except Exception as error:  # noqa: BLE001 - a boundary: the rest of the message is worth more
            _log.warning("the %s of %s cannot be looked up: %r", name, stream["use_case"], error)
    return found


def _course(database: Database, subject: Subject, **stream: Any) -> tuple[Point, ...]:
    try:
        return course_of(database, subject, **stream)
    except Exception as error:  # noqa: BLE001 - a boundary: a message without its chart is better than none
        _log.warning("the course of %s in %s cannot be looked up: %r", subject.evaluator, stream["use_case"], error)
        return ()


def _explained(database: Database, **stream: Any) -> Explanation | None:
    """Explain as far as it goes in time: without fields when they take too long, not at all when the rest does too."""
    for with_fields in (True, False):
        try:
            return explain(database, **stream, with_fields=with_fields)
        except Exception as error:  # noqa: BLE001 - a boundary: what is known is told without the reasons
            _log.warning("the reasons for %s cannot be looked up: %r", stream["use_case"], error)
    return None


def client_for(database: Database) -> Database:
    """Open a client whose queries end in time."""
    if database.address.url is not None:
        mark = "&" if "?" in database.address.url else "?"
        limited = replace(database.address, url=f"{database.address.url}{mark}send_receive_timeout={TIME_S}")
        return Database.open(limited)
    client = database.sibling()
    client.command(f"SET max_execution_time = {TIME_S}")
    return client


class Explainer:
    """Answers people who ask why. One question at a time.

    Args:
        database: A client as :func:`client_for` makes it.
        evaluators: As rules have them.
        slot: As of when, where nobody says.
    """

    def __init__(
        self, database: Database, evaluators: Mapping[str, Evaluator], *, slot: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._evaluators = evaluators
        self._slot = slot
        self._one_at_a_time = threading.Lock()

    def __call__(self, project: str, use_case: str, *, slot: datetime | None = None) -> dict[str, Any]:
        """Look up when it began, what moved first, what accounts for it, and calls to look at."""
        with self._one_at_a_time:
            at = slot or self._slot()
            stream: dict[str, Any] = {"project": project, "use_case": use_case, "slot": at}
            found = explain(self._database, **stream)
            evidence = gather(self._database, self._evaluators, **stream, onset=at)
        return {
            "project": project,
            "use_case": use_case,
            **asdict(found),
            "causes": found.causes,
            "sentences": sentences(found),
            "worst_segment": evidence.worst_segment and asdict(evidence.worst_segment),
            "drifted": [asdict(each) for each in evidence.drifted],
            "examples": [asdict(each) for each in evidence.examples],
        }

"""One call, and what happened around it."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tocsin_console.review.calls import find
from tocsin_console.review.draw import Store
from tocsin_console.statements import statement

RARE: Final = 0.01  # of the reference: beyond it a number is unusual, and so is a category that is rarer
_EVER: Final = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_MOST_SPANS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailDesk:
    """The calls of one store, one at a time.

    Args:
        store: A client of its own.
    """

    store: Store
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def call(self, project: str, use_case: str, call_id: str, *, at: datetime | None = None) -> dict[str, Any] | None:
        """Give one call with all that is known of it; None when there is none.

        Args:
            project: Its project.
            use_case: Its use case.
            call_id: Its id.
            at: When it began, to the hour; without it, it is looked for where outcomes, reviews and traces name it, then everywhere.

        Raises:
            StoreUnavailable: it took longer than ten seconds.
        """
        about = {"project": project, "use_case": use_case, "call_id": call_id}
        with self._one_at_a_time:
            facts = self._facts(about, at)
            if facts is None:
                return None
            known = {**about, **{name: facts[name] for name in ("started_at", "trace_id", "retry_of")}}
            read = find(self.store, project=project, use_case=use_case, call_id=call_id, started_at=facts["started_at"])
            attempts = self.store.rows(statement("call_attempts"), known)
            trace = {**known, "most": _MOST_SPANS}
            spans = tree(self.store.rows(statement("call_spans"), trace)) if facts["trace_id"] else []
            return {
                "call": {name: value for name, value in facts.items() if name not in _APART},
                "calibrated": self._calibrated(about, facts),
                "inputs": self._inputs(facts),
                "probabilities": _probabilities(facts["output_probabilities"]),
                "content": read.shown()["content"] if read else [],
                "attempts": attempts if len(attempts) > 1 else [],
                "spans": near(spans, facts["span_id"]),
                "outcomes": self.store.rows(statement("call_outcomes"), about),
                "reviews": self.store.rows(statement("call_reviews"), about),
            }

    def began(self, project: str, use_case: str, call_id: str, *, at: datetime | None = None) -> datetime | None:
        """Say when a call began; None when there is none. Arguments and errors as for :meth:`call`."""
        with self._one_at_a_time:
            facts = self._facts({"project": project, "use_case": use_case, "call_id": call_id}, at)
        return None if facts is None else facts["started_at"]

    def _facts(self, about: Mapping[str, str], at: datetime | None) -> dict[str, Any] | None:
        places = [(at, at)] if at else []
        if not at:
            [hint] = self.store.rows(statement("call_when"), about)
            places = [(hint["first"], hint["last"])] if hint["hints"] else []
        for since, until in (*places, _EVER):
            found = self.store.rows(statement("call_whole"), {**about, "since": since, "until": until})
            if found:
                return found[0]
        return None

    def _calibrated(self, about: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, Any] | None:
        if facts["confidence"] is None:
            return None
        asked = {**about, "confidence": facts["confidence"], "model_version": facts["model_version"]}
        found = self.store.rows(statement("call_calibrated"), asked)
        return found[0] if found else None

    def _inputs(self, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
        numbers, texts = facts["input_numbers"], facts["input_strings"]
        asked = {
            **{name: facts[name] for name in ("project", "use_case", "model_version", "prompt_version")},
            "number_fields": list(numbers),
            "numbers": [float(value) for value in numbers.values()],
            "text_fields": list(texts),
            "texts": list(texts.values()),
        }
        rows = self.store.rows(statement("call_inputs"), asked) if numbers or texts else []
        places = {(row["kind"], row["field"]): row for row in rows}
        return [
            *(_input(name, value, places.get(("number", name))) for name, value in sorted(numbers.items())),
            *(_input(name, value, places.get(("category", name))) for name, value in sorted(texts.items())),
            *(_input(name, None, None) for name in sorted(facts["input_nulls"])),
        ]


_APART: Final = frozenset({"input_numbers", "input_strings", "input_nulls", "output_probabilities"})


def tree(spans: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Order the spans of a trace as they enclose each other, each with its ``depth``. Pure.

    What a span says of its parent may be wrong: an unknown parent is none, and a circle is broken where it was begun.
    """
    known = {span["span_id"] for span in spans}
    children: dict[str, list[Mapping[str, Any]]] = {}
    for span in spans:
        parent = span["parent_span_id"]
        children.setdefault(parent if parent in known and parent != span["span_id"] else "", []).append(span)
    made: list[dict[str, Any]] = []
    seen: set[str] = set()
    for first in [*children.get("", []), *spans]:
        waiting = [(first, 0)]
        while waiting:
            span, depth = waiting.pop()
            if span["span_id"] in seen:
                continue
            seen.add(span["span_id"])
            made.append({**span, "depth": depth})
            waiting += [(child, depth + 1) for child in reversed(children.get(span["span_id"], []))]
    return made


def near(spans: Sequence[Mapping[str, Any]], span_id: str) -> list[dict[str, Any]]:
    """Say of each span of a :func:`tree` whether it encloses the one of the call, is it, or is within it. Pure."""
    known = {span["span_id"]: span for span in spans}
    kept: set[str] = set()
    at = span_id
    while at in known and at not in kept:
        kept.add(at)
        at = known[at]["parent_span_id"]
    made, within = [], None  # depth of the call's own span while what follows is deeper
    for span in spans:
        if span["span_id"] == span_id:
            within = span["depth"]
        elif within is not None and span["depth"] <= within:
            within = None
        made.append({**span, "is_near": span["span_id"] in kept or within is not None})
    return made


def _input(name: str, value: Any, place: Mapping[str, Any] | None) -> dict[str, Any]:
    made = {"field": name, "value": value, "at_most": None, "same": None, "is_unusual": None}
    if place is None:
        return made
    if place["kind"] == "category":
        return {**made, "same": place["same"], "is_unusual": place["same"] < RARE}
    return {
        **made,
        "at_most": place["at_most"],
        "is_unusual": min(place["at_most"], place["at_least"]) < RARE,
    }


def _probabilities(said: Mapping[str, float]) -> list[dict[str, Any]]:
    ordered = sorted(said.items(), key=lambda each: (-each[1], each[0]))
    return [{"label": label, "probability": value} for label, value in ordered]

"""Lists the calls of an incident, those first that were probably wrong, a page at a time."""

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

from tocsin_alerts.explanation.explain import explain
from tocsin_alerts.known_incidents import named, one_of
from tocsin_alerts.recall.odds import LEAST, Factors, factors
from tocsin_console.review.calls import handle_of
from tocsin_console.review.draw import Store

PAGE: Final = 25_000  # calls at a time, however many there are
BATCH: Final = 500  # calls of one message
_UNKNOWN: Final = -1.0

Send = Callable[[str, str, Mapping[str, Any]], None]
"""Posts one document to a channel by its name, under an id by which a repeat is recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Of which calls a list is, and what its order rests on."""

    incident: str
    project: str
    use_case: str
    since: datetime
    since_by: (
        str  # labels, estimate: the explanation's onset; alert: there is none, so a day before the first alert's slot
    )
    until: datetime
    is_calibrated: bool
    factors: Factors


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallDesk:
    """The recall lists of one store. One page at a time."""

    store: Store
    clock: Callable[[], datetime]
    send: Send
    page: int = PAGE
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def look(self, beginning: str) -> tuple[Recall, dict[str, Any]]:
        """Find the incident's calls and what their order rests on.

        Args:
            beginning: The incident, or how its name begins.

        Returns:
            What to ask :meth:`calls` for, and the parameters that it binds.

        Raises:
            IncidentRefused: there is no such incident, or more than one.
        """
        with self._one_at_a_time:
            incident = one_of(named(self.store, beginning), beginning)
            until = self._until(incident)
            stream = {"project": incident["project"], "use_case": incident["use_case"]}
            opened = incident["since"].astimezone(UTC)
            since, since_by = self._since(stream, opened, until)
            frame: dict[str, Any] = {**stream, "since": since, "until": until}
            [calibration] = self.store.rows(_sql("calibration"), {**stream, "slot": until}) or [dict(_NONE)]
            frame |= {
                "knots": list(calibration["bins"]),
                "precision": [float(each) for each in calibration["precision"]],
            }
            rows = self.store.rows(_sql("labelled"), {**frame, "least": LEAST})
        by_labels = factors(rows)
        base = 1 - float(calibration["accuracy"]) if calibration["bins"] else _UNKNOWN
        frame |= {
            "base": base,
            "times": by_labels.overall,
            "names": list(by_labels.names),
            "values": list(by_labels.values),
            "own_times": list(by_labels.own),
        }
        recall = Recall(
            incident=incident["incident"],
            **stream,
            since=since,
            since_by=since_by,
            until=until,
            is_calibrated=bool(calibration["bins"]),
            factors=by_labels,
        )
        return recall, frame

    def calls(self, frame: Mapping[str, Any], *, top: int | None = None) -> Iterator[dict[str, Any]]:
        """Give the calls, the likeliest to be wrong first; memory does not grow with how many there are.

        Args:
            frame: From :meth:`look`.
            top: As many; None: all.
        """
        after: dict[str, Any] = {"is_first": 1, "after": 0, "after_id": ""}
        left = top
        while left is None or left > 0:
            size = self.page if left is None else min(self.page, left)
            with self._one_at_a_time:
                rows = self.store.rows(_sql("calls"), {**frame, **after, "size": size})
                keys = self._keys(frame["project"], rows)
            for row in rows:
                yield _described(row, keys.get(row["call_id"], ""), frame["use_case"])
            if len(rows) < size:
                return
            after = {"is_first": 0, "after": rows[-1]["millionths"], "after_id": rows[-1]["call_id"]}
            left = None if left is None else left - size

    def post(self, recall: Recall, frame: Mapping[str, Any], channel: str, *, top: int | None = None) -> int:
        """Send the list to a channel, some hundred calls a message; gives how many calls were taken.

        Raises:
            DeliveryFailed: a message was not taken: send again, the receiver knows each by its id.
            UsageProblem: there is no such channel.
        """
        sent, listed = 0, self.calls(frame, top=top)
        about = {"incident": recall.incident, "project": recall.project, "use_case": recall.use_case}
        for number in itertools.count(1):
            batch = list(itertools.islice(listed, BATCH))
            if not batch and number > 1:
                return sent
            said = f"{recall.incident} {recall.since.isoformat()} {recall.until.isoformat()} {number}"
            key = hashlib.sha256(f"recall {said}".encode()).hexdigest()[:32]
            document = {"type": "recall", **about, "since": recall.since, "until": recall.until, "part": number}
            self.send(channel, key, {**document, "calls": batch, "is_last": len(batch) < BATCH})
            sent += len(batch)
            if len(batch) < BATCH:
                return sent
        raise AssertionError("counting does not end")

    def _until(self, incident: Mapping[str, Any]) -> datetime:
        if not incident["is_open"]:
            return incident["last_slot"].astimezone(UTC)  # type: ignore[no-any-return]
        return self.clock().astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)

    def _since(self, stream: Mapping[str, str], opened: datetime, until: datetime) -> tuple[datetime, str]:
        """Give the onset, as seen from the end and else from the opening, where it lies before the opening; else the day before that."""
        for slot in (until, opened):
            why = explain(self.store, **stream, slot=slot, with_fields=False)
            if why.onset is not None:
                begun = datetime.combine(why.onset.day, time(), tzinfo=UTC)
                if begun <= opened:
                    return begun, why.onset_by
        return opened - timedelta(days=1), "alert"

    def _keys(self, project: str, rows: list[dict[str, Any]]) -> dict[str, str]:
        if not rows:
            return {}
        times = [row["started_at"] for row in rows]
        moment = timedelta(seconds=1)  # nanoseconds are lost on the way here
        asked = {
            "project": project,
            "since": min(times) - moment,
            "until": max(times) + moment,
            "ids": [row["call_id"] for row in rows],
        }
        return {row["call_id"]: row["own_key"] for row in self.store.rows(_sql("keys"), asked)}


_NONE: Final[Mapping[str, Any]] = {"bins": (), "precision": (), "accuracy": 0.0}


def _described(row: Mapping[str, Any], key: str, use_case: str) -> dict[str, Any]:
    answer = row["output_label"] or row["output_value"]
    weight = row["weight"] if row["weight"] > 0 else 1.0
    return {
        "probability_wrong": row["wrong"],
        "known": bool(row["known"]),
        "call_id": row["call_id"],
        "handle": handle_of(row, use_case=use_case, selection_probability=1 / weight),
        "business_key": key,
        "user": row["person"],
        "session": row["session"],
        "started_at": row["started_at"].astimezone(UTC).isoformat(),
        "model_version": row["model_version"],
        "prompt_version": row["prompt_version"],
        "answer": answer,
        "confidence": row["confidence"],
        "cost": row["cost"],
        "currency": row["currency"],
    }


@cache
def _sql(name: str) -> str:
    return resources.files("tocsin_alerts").joinpath("recall", f"{name}.sql").read_text(encoding="utf-8")

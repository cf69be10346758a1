"""The journal in the store: everything the alert side knows, so that it survives a restart.

Order of writing within a tick: samples, events, (sinks), states, runs. A slot is done when its run is written; until
then a replay takes the stored events as they are, so the same transitions keep their ids and nothing is decided twice.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tocsin_alerts.errors import Superseded
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.machine import Status
from tocsin_alerts.ports import Query
from tocsin_alerts.records import AlertEvent, Sample
from tocsin_alerts.series import SUPERSEDED_AFTER, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One evaluation of one rule at one slot."""

    rule: str
    slot: datetime
    samples: int
    rule_hash: str
    duration_ms: float
    error: str = ""  # empty: done
    asked: bool = True  # False: there was nothing that its evaluator could have spoken of
    rows_read: int | None = None  # None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What was known when the process ended."""

    series: tuple[Series, ...]
    done_to: Mapping[str, datetime]  # by rule
    unsettled: tuple[AlertEvent, ...]  # stored, their slots not done; in slot order
    epoch: int = 0  # whose rows these are; 0: of nobody who said so


@dataclass(frozen=True, slots=True)
class Journal:
    """Reads and writes the alert side's tables.

    Args:
        query: The store.
        epoch: The evaluator that writes; each that takes over has a higher one, and rows of lower ones count no more.
    """

    query: Query
    epoch: int

    def restore(self, *, sources: Mapping[str, str]) -> Memory:
        """Read back where everything stood.

        Args:
            sources: The evaluator's name of each rule.
        """
        last = self._last_takeover()
        epoch = last["epoch"]
        rows = self.query.rows(statement("states"), {"epoch": epoch})
        done_to: dict[str, datetime] = dict(last["done_to"])
        done_to.update({row["rule"]: row["done_to"] for row in self.query.rows(statement("done"), {"epoch": epoch})})
        recent = [row["slot"] for row in rows if row["state"] in ("pending", "firing", "recovering")]
        recent += [max(done_to.values())] if done_to and rows else []
        seen: dict[tuple[object, ...], datetime] = {}
        if recent:
            reach = {"after": min(recent) - 2 * SUPERSEDED_AFTER, **_reach(done_to, sources)}
            for row in self.query.rows(statement("seen"), reach):
                seen[_series_key(row, row["evaluator"])] = row["seen"]
        carried = {"epoch": epoch, "carried": last["unsettled"]}
        events = [_event(row) for row in self.query.rows(statement("unsettled"), carried)]
        return Memory(
            series=tuple(_series(row, seen.get(_series_key(row, sources.get(row["rule"], "")))) for row in rows),
            done_to=done_to,
            unsettled=tuple(each for each in events if each.rule not in done_to or each.slot > done_to[each.rule]),
            epoch=epoch,
        )

    def require_current(self) -> None:
        """Make sure that nobody has taken over since.

        Raises:
            Superseded: somebody has: write nothing more.
        """
        self._require_not_after(self._last_takeover()["epoch"])

    def take_over(self, memory: Memory, *, at: datetime) -> None:
        """Write down what was found as where this epoch begins: states first, since the takeover makes them count.

        Raises:
            Superseded: a later epoch has begun.
        """
        self._require_not_after(memory.epoch)
        if memory.epoch == self.epoch:
            return
        if memory.series:
            self.write_states(memory.series, at=at)
        row = {
            "epoch": self.epoch,
            "done_to": dict(memory.done_to),
            "unsettled": [event.event_id for event in memory.unsettled],
            "at": at,
        }
        self.query.insert("takeovers", [row])

    def _last_takeover(self) -> dict[str, Any]:
        found = self.query.rows(statement("takeover"))
        return found[0] if found else {"epoch": 0, "done_to": {}, "unsettled": []}

    def _require_not_after(self, epoch: int) -> None:
        if epoch > self.epoch:
            raise Superseded(
                f"expected to be the last evaluator that began, but epoch {epoch} began after {self.epoch}"
            )

    def outcome_kinds(self) -> frozenset[str]:
        """List the kinds of outcome that anybody has sent."""
        [row] = self.query.rows(statement("outcome_kinds"))
        return frozenset(row["kinds"])

    def streams(self, until: datetime) -> list[tuple[str, str]]:
        """List project and use case of whatever was called in the four weeks before: each is a stream that may page by chance."""
        return [(row["project"], row["use_case"]) for row in self.query.rows(statement("streams"), {"until": until})]

    def first_hour(self) -> datetime | None:
        """Give the first hour with a call; None without any."""
        row = self.query.rows(statement("first_hour"))[0]
        return row["first_hour"] if row["hours"] else None

    def write_samples(
        self, samples: Iterable[tuple[str, str, Sample]], *, at: datetime, is_restated: bool = False
    ) -> None:
        """Store samples with their evaluator's name and hash. The same samples again are stored once."""
        rows = [
            {
                "project": sample.project,
                "use_case": sample.use_case,
                "evaluator": evaluator,
                "labels": dict(sample.labels),
                "slot": sample.slot,
                "value": sample.value,
                "lower": sample.lower,
                "upper": sample.upper,
                "baseline": sample.baseline,
                "n": sample.n,
                "effect": sample.effect,
                "evaluator_hash": evaluator_hash,
                "restated": int(is_restated),
            }
            for evaluator, evaluator_hash, sample in samples
        ]
        token = hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()
        self.query.insert(
            "evaluations", [{**row, "epoch": self.epoch, "evaluated_at": at} for row in rows], token=token
        )

    def write_events(self, events: Sequence[AlertEvent], *, at: datetime) -> None:
        """Store transitions; the same one again replaces itself."""
        self.query.insert("alert_events", [{**_plain(event), "epoch": self.epoch, "at": at} for event in events])

    def write_states(self, series: Iterable[Series], *, at: datetime) -> None:
        """Store where alerts stand."""
        rows = [
            {
                "fingerprint": each.fingerprint,
                "project": each.project,
                "use_case": each.use_case,
                "rule": each.rule,
                "labels": dict(each.labels),
                "state": each.status.state,
                "overlay": each.status.overlay,
                "incident": each.incident,
                "severity": each.severity,
                "since": each.status.since,
                "slot": each.status.slot,
                "value": each.status.value,
                "acknowledged_by": each.acknowledged_by,
                "rule_hash": each.rule_hash,
                "epoch": self.epoch,
                "fence": self.epoch,
                "at": at,
            }
            for each in series
        ]
        self.query.insert("alert_state", rows)

    def write_runs(self, runs: Iterable[Run], *, at: datetime) -> None:
        """Store which slots are done, and which have failed."""
        rows = [
            {
                "rule": run.rule,
                "slot": run.slot,
                "state": "failed" if run.error else "done",
                "samples": run.samples,
                "rule_hash": run.rule_hash,
                "epoch": self.epoch,
                "duration_ms": run.duration_ms,
                "error": run.error,
                "asked": int(run.asked),
                "rows_read": run.rows_read,
                "at": at,
            }
            for run in runs
        ]
        self.query.insert("rule_runs", rows)

    def latest(self, *, after: datetime) -> list[tuple[str, Sample]]:
        """Give the last accuracy and estimate of every series, with their evaluator's name."""
        found = []
        for row in self.query.rows(statement("latest"), {"after": after}):
            value, lower, upper, baseline, n = _tuple(row["sample"])
            sample = Sample(
                project=row["project"],
                use_case=row["use_case"],
                labels=row["labels"],
                slot=row["last_slot"],
                value=value,
                lower=lower,
                upper=upper,
                baseline=baseline,
                n=int(n),
            )
            found.append((str(row["evaluator"]), sample))
        return found

    def origins(self) -> list[dict[str, Any]]:
        """Say of every frozen reference what it was made of."""
        return self.query.rows(statement("origins"))

    def progress(self) -> list[dict[str, Any]]:
        """Say of every use case with calls how far it is from a reference."""
        return self.query.rows(statement("progress"))


def _reach(done_to: Mapping[str, datetime], sources: Mapping[str, str]) -> dict[str, list[Any]]:
    """Say of each evaluator to which slot a rule that reads it is done."""
    found: dict[str, datetime] = {}
    for rule, source in sources.items():
        if rule in done_to:
            found[source] = max(done_to[rule], found.get(source, done_to[rule]))
    return {"evaluators": list(found), "done_to": list(found.values())}


def _plain(event: AlertEvent) -> dict[str, Any]:
    return {**asdict(event), "labels": dict(event.labels)}


def _tuple(value: Any) -> Sequence[Any]:
    return list(value.values() if isinstance(value, Mapping) else value)


def _series_key(row: Mapping[str, Any], evaluator: str) -> tuple[object, ...]:
    return (row["project"], row["use_case"], evaluator, tuple(sorted(row["labels"].items())))


def _series(row: Mapping[str, Any], seen: datetime | None) -> Series:
    return Series(
        fingerprint=row["fingerprint"],
        project=row["project"],
        use_case=row["use_case"],
        rule=row["rule"],
        labels=row["labels"],
        status=Status(
            state=row["state"], since=row["since"], slot=row["slot"], overlay=row["overlay"], value=row["value"]
        ),
        incident=row["incident"],
        seen=seen or row["since"],
        rule_hash=row["rule_hash"],
        severity=row["severity"] or "log",
        acknowledged_by=row["acknowledged_by"],
    )


def _event(row: Mapping[str, Any]) -> AlertEvent:
    return AlertEvent(**row)

"""One alert as the board keeps it, what it takes in, and how it moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tocsin_alerts.machine import Status
from tocsin_alerts.records import AlertState, Sample, Severity
from tocsin_alerts.rule import Rule

# A series whose labels are gone (a model version that was replaced) holds its incident open this long, and only while
# others of its rule and use case have data. Where nothing has data nothing resolves.
SUPERSEDED_AFTER: Final = timedelta(days=7)
_SEVERITY_ORDER: Final[Mapping[Severity, int]] = {"page": 0, "ticket": 1, "log": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One alert: a rule over one set of labels, and where it stands."""

    fingerprint: str
    project: str
    use_case: str
    rule: str
    labels: Mapping[str, str]
    status: Status
    incident: str = ""  # while firing or recovering
    seen: datetime  # last slot with a sample
    rule_hash: str = ""
    severity: Severity = "log"
    acknowledged_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one rule has to take in at one slot."""

    rule: Rule
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A transition that has no incident yet."""

    before: AlertState
    after: Series
    rule: Rule | None
    sample: Sample | None
    reason: str

    @property
    def order(self) -> tuple[bool, int, str, str]:
        """Within a slot firing goes before resolving, pages before tickets."""
        return (
            self.after.status.state != "firing",
            _SEVERITY_ORDER[self.after.severity],
            self.after.rule,
            self.after.fingerprint,
        )


def first_of(key: str, rule: Rule, sample: Sample, slot: datetime) -> Series:
    """Begin an alert that was never seen before."""
    return Series(
        fingerprint=key,
        project=sample.project,
        use_case=sample.use_case,
        rule=rule.name,
        labels=dict(sample.labels),
        status=Status(since=slot, slot=slot - rule.text.every),
        seen=slot,
        rule_hash=rule.hash,
        severity=rule.text.severity,
    )


def is_at_rest(series: Series) -> bool:
    """Whether nobody has to hear anything of it."""
    return series.status.state in ("inactive", "resolved")


def standing_of(series: Series) -> tuple[object, ...]:
    """Give what has to be stored when it changes."""
    status = series.status
    return (status.state, status.overlay, status.since, series.incident, series.severity)

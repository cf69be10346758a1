"""What can go wrong on the alert side, split by what the caller does next.

TocsinError
└── AlertsError
    ├── DocumentError      fix: a YAML file says something that cannot be meant; names file and line
    │   ├── RuleError      fix: as above, in a rule: an unknown evaluator, column or name
    │   └── TemplateError  fix: as above, in a message template: an undeclared name, or more than it may take
    ├── EvaluatorError     fix: an evaluator's header and its SQL do not agree
    ├── ChannelError       fix: a channel cannot work as it is configured: a secret is missing or unreadable
    ├── Superseded         stop: another evaluator took over, or may have
    ├── DeliveryFailed     try again: the receiver did not take the message (``is_permanent``: never will)
    ├── GuardRefused       fix: no such use case or state, or nothing to release
    ├── IncidentRefused    fix: no such incident, more than one that begins like it, or it is over
    ├── ReferenceRefused   fix: no such version, or too few calls to be what the present is compared with
    └── DrillRefused       fix: a decay that cannot be made of these calls, or too few of them
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin_wire import TocsinError


class AlertsError(TocsinError):
    """Something on the alert side that a caller can act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to mend in one file."""

    path: str
    line: int  # from 1; 0 speaks of the whole file
    message: str  # what was expected, what came, what to do

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message}"


class DocumentError(AlertsError):
    """A YAML file cannot be meant as it is written; ``findings`` names every place."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)


class RuleError(DocumentError):
    """A rule names what does not exist, or its condition cannot be read."""


class EvaluatorError(AlertsError):
    """An evaluator's header and its SQL do not agree, or two evaluators share a name."""


class TemplateError(DocumentError):
    """A message template names what does not exist, or takes more than one message may."""


class ChannelError(AlertsError):
    """A channel cannot work as it is configured."""


class DeliveryFailed(AlertsError):  # noqa: N818 - says what happened
    """The receiver did not take the message; try again after ``retry_after_s`` where it said so."""

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        is_permanent: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status  # that was answered over HTTP
        self.retry_after_s = retry_after_s
        self.is_permanent = is_permanent


class Superseded(AlertsError):  # noqa: N818 - says what happened
    """This evaluator's time is over: whatever it still has to say, another says."""


class GuardRefused(AlertsError):  # noqa: N818 - says what happened
    """The guard was asked for what it cannot do."""


class IncidentRefused(AlertsError):  # noqa: N818 - says what happened
    """There is no such incident, more than one begins like it, or it is not in a state to have this done to it."""


class HearingRefused(AlertsError):  # noqa: N818 - says what happened
    """What a service is said to have said is not proven, or cannot be read."""


class SilenceRefused(AlertsError):  # noqa: N818 - says what happened
    """A silence without an end, a reason or a subject; or there is none to end."""


class ReferenceRefused(AlertsError):  # noqa: N818 - says what happened
    """A version cannot be accepted, or a window not be frozen."""


class DrillRefused(AlertsError):  # noqa: N818 - says what happened
    """A decay cannot be made of a use case's own calls, or there are too few of them."""

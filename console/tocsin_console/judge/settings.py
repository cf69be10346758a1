"""What the judge was told: which model, by which rubric, for how much."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tocsin_alerts.sandbox import Budget, BudgetedEnvironment
from tocsin_console.errors import UsageProblem
from tocsin_console.sections.money import JudgeSection

_SHOWN: Final[Mapping[str, Any]] = {
    "use_case": "a use case",
    "system": "",
    "input": "what was asked",
    "output": "what was answered",
    "fields": {"name": "value"},
    "label": "",
    "confidence": 0.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """Everything that decides what the judge says and costs."""

    endpoint: str  # of an OpenAI-compatible API, up to and with /v1
    model: str
    provider: str = ""  # as the price list names it
    key: Callable[[], str] = field(repr=False)  # followed at each use, so that it can be changed
    rubric: str  # a template
    use_cases: tuple[str, ...] = ()  # none: all
    per_day: int = 50  # calls of each use case
    cap_per_day: Decimal  # of all use cases together
    currency: str = "USD"
    max_output_tokens: int = 300
    output_limit: str = "max_tokens"
    timeout_s: float = 60.0

    @property
    def source(self) -> str:
        """Name the judge: another model or rubric is another judge, whose errors are its own."""
        return f"{self.model}@{hashlib.sha256(self.rubric.encode()).hexdigest()[:12]}"

    def covers(self, use_case: str) -> bool:
        """Say whether this use case is judged."""
        return not self.use_cases or use_case in self.use_cases


def settings_of(section: JudgeSection, *, base: Path, key: Callable[[], str]) -> JudgeSettings:
    """Read the rubric and try it.

    Raises:
        UsageProblem: there is no rubric, or it names what a call does not have.
    """
    path = base / section.rubric
    try:
        rubric = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"expected judge.rubric at {path}: {error.strerror}") from error
    made = JudgeSettings(
        endpoint=section.endpoint.rstrip("/"),
        model=section.model,
        provider=section.provider,
        key=key,
        rubric=rubric,
        use_cases=section.use_cases,
        per_day=section.per_day,
        cap_per_day=section.cap_per_day,
        currency=section.currency,
        max_output_tokens=section.max_output_tokens,
        output_limit=section.output_limit,
        timeout_s=section.timeout_s,
    )
    key()
    rendered(made, _SHOWN)
    return made


def rendered(settings: JudgeSettings, names: Mapping[str, Any]) -> str:
    """Fill the rubric in, under the limits of the templates of messages.

    Raises:
        UsageProblem: it cannot be rendered.
    """
    from time import monotonic

    from jinja2 import DictLoader

    environment = BudgetedEnvironment(DictLoader({"rubric": settings.rubric}), html=False)
    try:
        with environment.under(Budget(deadline=monotonic() + 2.0)):
            return environment.get_template("rubric").render(names)
    except Exception as error:
        raise UsageProblem(
            f"expected a rubric that names only {', '.join(sorted(_SHOWN))}: {type(error).__name__}: {error}"
        ) from error

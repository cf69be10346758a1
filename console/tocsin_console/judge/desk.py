"""What people see of the judge: whether it works, what it cost, and how often it agrees with them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from tocsin_collector.correct.prices import Catalogue
from tocsin_console.config import Config, secret
from tocsin_console.errors import UsageProblem
from tocsin_console.judge.asking import Asker
from tocsin_console.judge.judging import Judge, Record, Turn
from tocsin_console.judge.money import tariff
from tocsin_console.judge.settings import JudgeSettings, settings_of
from tocsin_console.review.draw import Store
from tocsin_console.review.estimate import wilson
from tocsin_console.statements import statement

_LEAST: Final = 10  # calls that both have judged, below which agreement is not a figure
_OFF: Final = "the judge is off: 'judge' in tocsin.yaml says endpoint, model, rubric and cap_per_day; see docs/judge.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeDesk:
    """The judge of one process; where none is configured, or another process has it, only what is stored."""

    store: Store
    settings: JudgeSettings | None = None
    judge: Judge | None = None
    now: Callable[[], datetime]

    def status(self, use_case: str = "") -> dict[str, Any]:
        """Say what the judge did, what it cost today and in all, and how often people agree."""
        settings = self.settings
        asked = {"use_case": use_case}
        agreements = {
            (row["project"], row["use_case"], row["source"]): row
            for row in self.store.rows(statement("judge_agreement"), asked)
        }
        judges = []
        for row in self.store.rows(statement("judge_status"), asked):
            met = agreements.get((row["project"], row["use_case"], row["source"]), {})
            judges.append({**row, "agreement": _agreement(int(met.get("both", 0)), int(met.get("agreed", 0)), met)})
        spent = None
        if settings is not None:
            day = {"day": self.now().astimezone(UTC).date(), "currency": settings.currency}
            spent = Decimal(self.store.rows(statement("judge_spent"), day)[0]["spent"])
        return {
            "on": settings is not None,
            "why_off": "" if settings else _OFF,
            "source": settings and settings.source,
            "cap_per_day": settings and settings.cap_per_day,
            "currency": settings and settings.currency,
            "spent_today": spent,
            "judges": judges,
        }

    def run(self) -> Turn:
        """Judge now what is due.

        Raises:
            UsageProblem: there is no judge here, or its price, key or rubric cannot be used.
        """
        if self.judge is None:
            raise UsageProblem(_OFF)
        return self.judge.turn()


def desk_of(
    config: Config,
    store: Callable[[], Store],
    *,
    record: Record,
    catalogue: Callable[[], Catalogue],
    environment: Any,
    clock: Callable[[], datetime],
    now: Callable[[], datetime],
) -> JudgeDesk:
    """Put the judge together that is configured.

    Args:
        config: With or without a judge.
        store: Opens a client.
        record: Makes outcomes durable.
        catalogue: The public price list, loaded when it is needed.
        environment: Where ``env:NAME`` leads.
        clock: What time it is for the calls.
        now: The time of day.

    Raises:
        UsageProblem: its key or its rubric cannot be used.
    """
    section = config.judge
    if section is None:
        return JudgeDesk(store=store(), now=now)
    base = config.folder

    def key() -> str:
        return secret(section.key, environment=environment, base=base, what="judge.key")

    settings = settings_of(section, base=base, key=key)
    judge = Judge(
        store(),
        settings,
        Asker(settings),
        tariff=lambda: tariff(
            settings.model,
            provider=settings.provider,
            currency=settings.currency,
            agreed=config.prices,
            catalogue=catalogue,
            now=now(),
        ),
        record=record,
        clock=clock,
        now=now,
    )
    return JudgeDesk(store=store(), settings=settings, judge=judge, now=now)


def _agreement(both: int, agreed: int, met: Any) -> dict[str, Any]:
    """Give the share of calls of which both say the same, with Wilson's interval."""
    lower, upper = wilson(agreed / both, both) if both else (None, None)
    return {
        "value": agreed / both if both >= _LEAST else None,
        "lower": lower,
        "upper": upper,
        "n": both,
        "too_kind": int(met.get("too_kind", 0)),
        "too_harsh": int(met.get("too_harsh", 0)),
    }

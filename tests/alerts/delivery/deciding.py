"""What tests of who is told, and when, share: a store that answers delivery's questions, a plan, and time that passes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.alerts.delivery.conftest import MemoryStore

from tocsin_alerts.plan import Plan, Plans

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BELOW, FALLING = "accuracy-below-floor", "estimated-accuracy-drop"


class Remembering(MemoryStore):
    """A store that knows acknowledgements, last week's calls, and what is held."""

    expected: float | None = 1_000.0

    def rows(self, sql: str, parameters: Any = None, /) -> list[dict[str, Any]]:
        """Answer what delivery asks besides."""
        if "action = 'acknowledge'" in sql:
            taken = self.inserted.get("audit_log", ())
            return [dict(each) for each in taken if each["subject"] == parameters["incident"]]
        if "AS expected" in sql:
            long_ago = datetime(2026, 1, 1, tzinfo=UTC)
            return [{"expected": self.expected, "first_hour": long_ago, "hours": int(self.expected is not None)}]
        return []

    def held(self) -> list[tuple[str, str]]:
        """What is held now."""
        last = {each["fingerprint"]: each for each in self.inserted.get("held_alerts", ())}
        return sorted((each["fingerprint"], each["why"]) for each in last.values() if each["why"])


def plan_of(**said: Any) -> Plans:
    """A plan with what is said."""
    return Plans.of(Plan.model_validate({"use_case": "digit-reader", "zone": "Europe/Berlin", **said}))


def hand(delivery: Any, *events: Any) -> None:
    """Hand in transitions of one slot, and send."""
    delivery.handle(events, events[0].slot, live=True)
    delivery.pump()


def wake(delivery: Any) -> None:
    """Let time be noticed, twice: the second time nothing is new."""
    for _ in range(2):
        delivery.wake()
        delivery.pump()

"""Five weeks of a help desk's ticket triage, right at first: a program that sends them to a collector, by a clock of its own.

python history.py GRPC GUARD
"""

import random
import sys
from datetime import UTC, datetime, time, timedelta

import tocsin

USE_CASE = "ticket-triage"
DAYS, CALLS_A_DAY, BAD_DAYS = 36, 40, 8
# Up to last midnight, so that a call of now moves the data's clock by less than a day.
ENDS = datetime.combine(datetime.now(UTC), time(), UTC)
BEGINS = ENDS - timedelta(days=DAYS)
_OTHER = {"billing": "hardware", "hardware": "billing"}


class Clock:
    """Stands where it is put, and moves by a microsecond when it is read."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        """Say what time it is, ns since the epoch."""
        self.ns += 1000
        return self.ns


def main() -> None:
    """Send them; the truth of each call comes a day later."""
    clock, chance = Clock(), random.Random(7)
    grpc, guard = sys.argv[1:]
    tocsin.init(service_name="helpdesk", clock=clock, endpoint=grpc, guard_endpoint=guard)
    late: list[tuple[datetime, str, str]] = []
    for day in range(DAYS):
        for number in range(CALLS_A_DAY):
            at = BEGINS + timedelta(days=day, seconds=number * 86_400 / CALLS_A_DAY)
            clock.ns = int(at.timestamp()) * 10**9
            late.append((at + timedelta(days=1), *_call(clock, chance, 0.06 if day < DAYS - BAD_DAYS else 0.45)))
        while late and late[0][0] < BEGINS + timedelta(days=day + 1):
            seen_at, handle, label = late.pop(0)
            tocsin.record_outcome(handle, label=label, observed_at=seen_at, author="back-office")
    if not tocsin.flush(60):
        raise SystemExit(f"expected the collector to take everything within a minute: {dict(tocsin.stats())}")
    tocsin.shutdown()


def _call(clock: Clock, chance: random.Random, wrong_share: float) -> tuple[str, str]:
    is_wrong = chance.random() < wrong_share
    truth = chance.choice(["billing", "hardware"])
    with tocsin.observe(USE_CASE, task="classification", model_version="3") as call:
        call.set_input(length=int(chance.gauss(200, 40)), language="en" if chance.random() < 0.8 else "de")
        call.set_output(label=_OTHER[truth] if is_wrong else truth)
        call.confidence = min(0.99, max(0.5, chance.gauss(0.75 if is_wrong else 0.9, 0.05)))
        call.set_cost(0.0004, "USD")
        clock.ns += 200_000_000
    return call.handle, truth


if __name__ == "__main__":
    main()

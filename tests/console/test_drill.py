"""A fire drill on a store: whose tables stay as they were, and which says how soon a decay would be noticed."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.console.conftest import NOW, Running, shipped_rules

from tocsin_alerts.drill.decay import Decay
from tocsin_alerts.drill.page import MARK
from tocsin_alerts.errors import DrillRefused
from tocsin_alerts.message import View
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.render import Templates
from tocsin_collector.store.database import Database
from tocsin_console.drill.desk import DrillDesk
from tocsin_console.drill.reviewing import reviews
from tocsin_console.drill.stage import sweep
from tocsin_console.drill.standing import time_to_notice
from tocsin_console.statements import statement


def served(store: Database, *, a_day: int = 150, confidence: bool = True, labels: bool = True) -> None:
    """Write four weeks of calls whose confidence is right, a tenth of them labelled a day later."""
    chance = random.Random(1)
    midnight = NOW.replace(hour=0)
    calls, outcomes = [], []
    for number in range(28 * a_day):
        at = midnight - timedelta(days=28) + number * timedelta(days=28) / (28 * a_day)
        ink = chance.gauss(0, 1)
        sure = 1 / (1 + math.exp(-(3.6 + 0.9 * ink + chance.gauss(0, 1.1))))
        common = {
            "project": "default",
            "use_case": "digits",
            "call_id": f"c{number}",
            "started_at": at,
            "model_version": "m1",
        }
        facts = {"served_by": "model", "confidence": sure if confidence else None, "weight": 1.0}
        calls.append(
            {
                **common,
                **facts,
                "output_label": "7",
                "duration_ns": 10**7,
                "input_numbers": {"ink": ink + 8},
                "received_at": at,
                "ingested_at": at,
            }
        )
        if labels and number % 10 == 0:
            outcomes.append(
                {
                    **common,
                    **facts,
                    "kind": "ground_truth",
                    "source": "s",
                    "outcome_id": f"o{number}",
                    "observed_at": at + timedelta(days=1),
                    "correct": int(chance.random() < sure),
                    "received_at": at,
                    "ingested_at": at,
                }
            )
    store.insert("ai_calls", calls)
    store.insert("outcomes", outcomes)


def stored(store: Database) -> dict[str, int]:
    """Count what a drill must leave alone, and databases of drills."""
    said = {
        "calls": "SELECT count() AS n FROM ai_calls",
        "hours": "SELECT sum(calls) AS n FROM ai_calls_1h",
        "cells": "SELECT sum(n) AS n FROM (SELECT input_histogram_1h.n AS n FROM input_histogram_1h)",
        "outcomes": "SELECT count() AS n FROM outcomes FINAL",
        "samples": "SELECT count() AS n FROM evaluations",
        "references": "SELECT count() AS n FROM reference_windows",
        "alerts": "SELECT count() AS n FROM alert_events",
        "left over": "SELECT count() AS n FROM system.databases WHERE startsWith(name, concat(currentDatabase(), '_drill_'))",
    }
    return {name: int(store.rows(sql)[0]["n"]) for name, sql in said.items()}


def desk_of(store: Database, delivered: list[Any]) -> DrillDesk:
    """A desk over a plan whose people are told."""

    def deliver(plan: Plan, views: Sequence[View]) -> list[dict[str, Any]]:
        delivered.append((plan, *views))
        return [{"channel": "oncall", "error": ""}]

    plans = Plans.of(Plan(use_case="digits", owner="vision"))
    return DrillDesk(
        store=store, plans=plans, rules=shipped_rules(), clock=lambda: NOW, now=lambda: NOW, deliver=deliver
    )


def test_a_decay_is_noticed_on_a_copy_told_as_a_drill_and_kept(database: Database) -> None:
    """The tables of calls stay as they were, nothing is left behind, and the first line says that nothing is wrong."""
    served(database)
    before, delivered = stored(database), []
    desk = desk_of(database, delivered)

    found = desk.run(
        "default",
        "digits",
        Decay(kind="covariate", drop=0.16, over=30),
        more_reviews=20,
        is_delivered=True,
        by="ana",
    )

    after = stored(database)
    as_is, more = found["noticed"]
    assert 1 <= as_is["day"] <= 10, found
    assert as_is["fire_without_it"] == more["fire_without_it"] == []
    assert found["said"].startswith(f"noticed on day {as_is['day']}; with 20 reviews a week, day ")
    assert after == before
    assert before["left over"] == 0
    [latest] = database.rows(statement("drills_latest"))
    assert (latest["use_case"], latest["noticed_after_days"], latest["fall"]) == ("digits", as_is["day"], 0.16)
    [(plan, firing, resolved)] = delivered
    assert (plan.owner, firing.transition, resolved.transition) == ("vision", "firing", "resolved")
    assert firing.lead.rule == as_is["rule"]
    message = Templates().compose(replace(firing, incident="i", do_now=MARK + firing.do_now), chat=False)
    assert " ".join(message.text.split()).startswith(
        f"DRILL, nothing is wrong: a decay that was injected into a copy of its calls was noticed on day {as_is['day']}"
    )


def test_the_weeks_of_the_reference_are_chosen_while_their_calls_are_stored(database: Database) -> None:
    """Weeks in which the model already decayed were taken for the drill's own decay: noticed too soon by a fortnight."""
    served(database, a_day=1)
    midnight = NOW.replace(hour=0)
    reference = {"project": "default", "use_case": "digits", "model_version": "m1", "kind": "calls", "n": 28}
    later = replace(desk_of(database, []), clock=lambda: NOW + timedelta(days=7))

    before = later._own("default", "digits")
    database.insert("reference_windows", [{**reference, "since": midnight - timedelta(days=28), "until": midnight}])
    after = later._own("default", "digits")

    assert before.until == midnight + timedelta(days=7)
    assert (after.since, after.until, after.calls) == (midnight - timedelta(days=28), midnight, 28)


def test_what_a_killed_drill_left_behind_goes_at_the_next_start(database: Database) -> None:
    """It is a copy of people's calls, which 'tocsin forget' does not look for."""
    name = database.address.database
    database.command(f"CREATE DATABASE `{name}_drill_{NOW:%Y%m%d%H%M}_ab12`")
    database.command(f"CREATE DATABASE `{name}_drill_of_mine`")
    assert stored(database)["left over"] == 2

    sweep(database, now=NOW)

    assert stored(database)["left over"] == 1
    database.command(f"DROP DATABASE `{name}_drill_of_mine`")


def test_what_a_use_case_lacks_is_why_nobody_would_notice(server_database: Database) -> None:
    """'Never, because nobody reviews' is the answer that changes something; and a drill that cannot be made says so. On a server."""
    served(server_database, confidence=False, labels=False)
    desk = desk_of(server_database, [])

    found = desk.run(
        "default",
        "digits",
        Decay(kind="concept", drop=0.5, over=2),
        more_reviews=140,
        is_delivered=False,
        by="ana",
    )

    assert found["noticed"][0]["day"] is None
    assert found["said"].startswith(
        "never noticed in 16 days: nobody reviews, no labels come, its calls give no confidence; with 140 a week, "
    )
    with pytest.raises(DrillRefused, match="ask for --kind concept"):
        desk.run(
            "default", "digits", Decay(kind="covariate", drop=0.1, over=2), more_reviews=0, is_delivered=False, by="ana"
        )
    with pytest.raises(DrillRefused, match="did you mean 'digits'"):
        desk.run(
            "default", "digit", Decay(kind="concept", drop=0.1, over=2), more_reviews=0, is_delivered=False, by="ana"
        )
    assert stored(server_database)["left over"] == 0


def test_reviews_are_drawn_as_many_as_asked_and_stand_for_all_calls() -> None:
    """A sample of another design would be noticed sooner or later than the real one."""
    chance = random.Random(3)
    begun = NOW.replace(hour=9) - timedelta(days=28)
    calls = [
        {
            "call_id": f"c{number}",
            "started_at": begun + number * timedelta(days=28) / 8_400,
            "confidence": chance.random(),
        }
        for number in range(8_400)
    ]

    drawn = list(reviews(calls, a_week=140, seed="s"))
    again = list(reviews(calls, a_week=140, seed="s"))

    assert len(drawn) == 4 * 140
    assert [call["call_id"] for call, *_ in drawn] == [call["call_id"] for call, *_ in again]
    assert sum(1 / each for _, each, _ in drawn) == pytest.approx(len(calls), rel=0.15)
    sure = [call for call, *_ in drawn if call["confidence"] > 0.9]
    assert len(sure) > len(drawn) / 2
    assert all(timedelta(0) < at - call["started_at"] <= timedelta(hours=25) for call, _, at in drawn)


def test_the_verb_asks_and_status_shows_what_is_known(running: Running, tocsin: Callable[..., Any]) -> None:
    """An unknown time to notice is shown as unknown, with the way to know it."""
    known = running.parts.book.use_cases()
    refused = tocsin("drill", "planned", "--drop", "16", "--over", "60d", "--by", "ana")
    nonsense = tocsin("drill", "planned", "--drop", "16", "--over", "sixty")
    status = tocsin("status")

    assert (refused.exit_code, nonsense.exit_code) == (2, 2)
    assert "expected calls of 'planned'" in refused.output
    assert "--over" in nonsense.output
    assert status.exit_code == 0
    assert known == []
    assert time_to_notice(None) == "unknown: tocsin drill"
    drill = {"fall": 0.16, "over_days": 60, "noticed_after_days": 9, "kind": "concept"}
    assert time_to_notice(drill) == "day 9 (16 points over 60d, concept)"
    assert time_to_notice({**drill, "noticed_after_days": None}) == "never (16 points over 60d, concept)"

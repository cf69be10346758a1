"""Users, answers in words, and inputs unlike the reference: from raw calls, bounded, with exact figures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store
from tests.alerts.evaluators.test_quality import wilson

LOWEST = -32768
MINUTE = timedelta(minutes=1)
WEEK = 7 * DAY


def insert(store: Store, rows: Sequence[dict[str, Any]]) -> None:
    """Insert raw calls, a month a statement; the views do the rest."""
    base: dict[str, Any] = {
        "model_version": "m1", "served_by": "model", "weight": 1.0, "input_numbers": {}, "input_strings": {}, "input_nulls": [],
        "segments": {}, "session_id": "", "user_id": "", "output_text": "", "output_label": "", "error_type": "", "attempt": 0,
        "confidence": None, "output_value": None,
    }  # fmt: skip
    made = [{**base, "call_id": f"c{i}", "ingested_at": MONDAY, **row} for i, row in enumerate(rows)]
    for month in sorted({row["started_at"].strftime("%Y%m") for row in made}):
        store.insert("ai_calls", [row for row in made if row["started_at"].strftime("%Y%m") == month])


def asked(at: datetime, session: str, chars: float, **row: Any) -> dict[str, Any]:
    """One call of a session, with five features of its prompt and one that grows with every turn."""
    numbers = {"prompt.chars": chars, "prompt.words": chars / 5, "prompt.tokens": chars / 4, "prompt.hidden": 0.0}
    return {
        "started_at": at,
        "session_id": session,
        "input_numbers": {**numbers, "prompt.context_chars": chars * at.minute, "prompt.turn": at.minute},
        "input_strings": {"prompt.language": "en"},
        **row,
    }


def test_regenerations_are_the_same_input_of_a_session_within_ten_minutes(store: Store) -> None:
    """Asked again: not another question, not later, not a retry, and not of somebody else."""
    at = MONDAY - 5 * HOUR
    rows = []
    for i in range(50):
        rows += [
            asked(at + 12 * MINUTE, f"again{i}", 1000),
            asked(at + 20 * MINUTE, f"again{i}", 1000),  # asked again
            asked(at + 12 * MINUTE, f"other{i}", 1000),
            asked(at + 20 * MINUTE, f"other{i}", 90),  # another question
            asked(at + 12 * MINUTE, f"late{i}", 1000),
            asked(at + 23 * MINUTE, f"late{i}", 1000),  # eleven minutes later
            asked(at + 12 * MINUTE, f"failed{i}", 1000, error_type="timeout"),
            asked(at + 13 * MINUTE, f"failed{i}", 1000),  # because there was no answer
            asked(at + 13 * MINUTE, f"failed{i}", 1000, attempt=2),
            asked(at + 5 * MINUTE, f"early{i}", 1000),  # counts only as what was asked before
            asked(at + 11 * MINUTE, f"early{i}", 1000),  # asked again
        ]
    insert(store, [*rows, *(asked(at + 30 * MINUTE, "", 1000) for _ in range(99))])

    [sample] = store.run("regenerations")

    assert (sample.value, sample.n, sample.baseline) == (100 / 450, 450, None)
    assert (sample.lower, sample.upper) == pytest.approx(wilson(100, 450), abs=1e-6)


def test_regenerations_are_compared_with_the_weekday_before(store: Store) -> None:
    """A Sunday is compared with a Sunday; too few calls are no figure."""
    week_ago = [asked(MONDAY - WEEK - HOUR + (11 + k) * MINUTE, f"s{i}", 500) for i in range(100) for k in range(2)]
    few = [asked(MONDAY - HOUR + (11 + k) * MINUTE, f"s{i}", 500) for i in range(50) for k in range(3)]
    more = [asked(MONDAY - HOUR + 20 * MINUTE, f"t{i}", 500) for i in range(50)]
    insert(store, week_ago + few + more)

    [sample] = store.run("regenerations")

    assert (sample.value, sample.baseline, sample.n) == (0.5, 0.5, 200)


def test_overrides_are_what_people_put_in_the_answers_place(store: Store) -> None:
    """A correction by hand is the plainest word on an answer; thumbs and ground truth are not corrections."""
    at = MONDAY - 2 * DAY
    store.calls(at, 400)
    store.calls(at - 10 * DAY, 1000)
    given = {"started_at": at, "kind": "feedback", "source": "app", "label": "", "predicted_label": "a"}
    store.outcomes([
        *({**given, "label": "b"} for _ in range(30)),
        *({**given, "label": "a"} for _ in range(30)),
        *({**given, "source": "edit", "correct": 0} for _ in range(10)),
        *({**given, "source": "thumbs", "correct": 0} for _ in range(20)),
        *({**given, "kind": "ground_truth", "label": "b"} for _ in range(50)),
        *({**given, "started_at": at - 10 * DAY, "label": "b"} for _ in range(50)),
    ])  # fmt: skip

    [sample] = store.run("overrides")

    assert (sample.value, sample.baseline, sample.n) == (0.1, 0.05, 400)
    assert (sample.lower, sample.upper) == pytest.approx(wilson(40, 400), abs=1e-6)


def test_without_feedback_overrides_are_unknown(store: Store) -> None:
    """Nobody records corrections: that is not "none"."""
    store.calls(MONDAY - 2 * DAY, 400)

    [sample] = store.run("overrides")

    assert (sample.value, sample.n) == (None, 400)


def test_abandonment_of_users_and_of_sessions(store: Store) -> None:
    """Who was here last week and is not here this week; and sessions that end with their first answer."""
    rows = []
    for i in range(200):
        rows.append({"started_at": MONDAY - 18 * DAY, "user_id": f"u{i}", "session_id": f"a{i}"})
        if i < 150:  # a quarter is lost
            rows.append({"started_at": MONDAY - 10 * DAY, "user_id": f"u{i}", "session_id": f"b{i}"})
            rows.append({"started_at": MONDAY - 10 * DAY + HOUR, "user_id": f"u{i}", "session_id": f"b{i}"})
        if i < 75:  # then half
            rows.append({"started_at": MONDAY - 3 * DAY, "user_id": f"u{i}", "session_id": f"c{i}"})
            rows.append(
                {"started_at": MONDAY - 3 * DAY + HOUR, "user_id": f"u{i}", "session_id": f"c{i + 25 * (i > 49)}"}
            )
    insert(store, rows)

    sessions, users = store.run("abandonment")

    assert (users.value, users.baseline, users.n) == (0.5, 0.25, 150)
    assert (users.lower, users.upper) == pytest.approx(wilson(75, 150), abs=1e-6)
    assert (sessions.value, sessions.baseline, sessions.n) == (0.5, 0.0, 100)


def test_a_large_use_case_is_looked_at_in_the_same_hours_of_each_week(store: Store) -> None:
    """Cost must not grow with traffic: 10,000 calls and at most one hour more of a week are read, and the weeks stay comparable."""
    with store.together() as filling:
        for week in range(3):
            for hour in range(40):
                filling.calls(MONDAY - (week + 1) * WEEK + hour * HOUR, 1000)
    rows = [
        {"started_at": MONDAY - (week + 1) * WEEK + hour * HOUR + MINUTE, "user_id": f"u{hour}-{i}"}
        for week in range(3) for hour in range(40) for i in range(30)
    ]  # fmt: skip
    insert(store, rows)

    [users] = store.run("abandonment")

    assert users.n in (270, 300)  # nine or ten hours of thirty users each
    assert (users.value, users.baseline) == (0, 0)


def test_sure_answers_to_inputs_far_from_the_reference(store: Store) -> None:
    """Beyond the range, of an unseen category, or of unknown words: and as sure as ever."""
    store.profile("confidence", [0.0, 100.0, 100.0], edges=[LOWEST, 1600, 1900])
    store.profile("number", [150.0, 150.0], field="ink", edges=[2000, 2010])
    store.profile("input", [200.0, 100.0, 0.0], field="device", names=["a", "b"])
    near = {"confidence": 0.99, "input_numbers": {"ink": 1.1}, "input_strings": {"device": "a"}}
    insert(store, [{"started_at": MONDAY - 5 * HOUR, **near, **row} for row in [
        *({} for _ in range(160)),
        *({"input_numbers": {"ink": 9.0}} for _ in range(20)),
        *({"input_strings": {"device": "z"}} for _ in range(10)),
        *({"input_numbers": {"prompt.unknown_words": 0.7}} for _ in range(10)),
        *({"input_strings": {"device": "z"}, "confidence": 0.6} for _ in range(300)),  # far, and not sure
    ]])  # fmt: skip

    [sample] = store.run("far_inputs_confident")

    assert (sample.value, sample.baseline, sample.n) == (0.2, 0, 200)
    assert (sample.lower, sample.upper) == pytest.approx(wilson(40, 200), abs=1e-6)
    assert sample.labels == {"model_version": "m1", "prompt_version": ""}


def test_answers_that_are_empty_refused_repeated_or_in_another_language(store: Store) -> None:
    """What a model that answers in words does when it goes wrong without failing."""
    english = "The answer to this and that is with you, for all of the case number"
    before = [{"started_at": MONDAY - (3 + i % 2) * DAY, "output_text": f"{english} {i}"} for i in range(190)]
    before += [{"started_at": MONDAY - (3 + i % 2) * DAY, "output_text": ""} for i in range(10)]
    now = [{"started_at": MONDAY - 5 * HOUR, "output_text": text} for text in [
        *(f"{english} {i}" for i in range(60)),
        *("  " for _ in range(10)),
        *(f"I\u2019m sorry, but I can\u2019t help you with that, case {i}" for i in range(10)),
        *(f"Der Fall ist nicht mit dem Plan und der Frist, Nummer {i}" for i in range(10)),
        *("One moment." for _ in range(10)),
    ]]  # fmt: skip
    failed = [{"started_at": MONDAY - 5 * HOUR, "error_type": "timeout"} for _ in range(7)]
    insert(store, before + now + failed)

    found = {sample.labels["fault"]: sample for sample in store.run("text_faults")}

    assert {name: (sample.value, sample.baseline, sample.n) for name, sample in found.items()} == {
        "empty": (0.1, 0.05, 100),
        "refusal": (0.1, 0, 100),
        "repeated": (0.1, 0, 100),
        "other_language": (0.1, 0, 100),
    }
    assert (found["refusal"].lower, found["refusal"].upper) == pytest.approx(wilson(10, 100), abs=1e-6)


def test_a_use_case_that_answers_in_labels_has_no_text(store: Store) -> None:
    """A classifier's empty text is no fault."""
    insert(store, [{"started_at": MONDAY - HOUR, "output_label": "a"} for _ in range(99)])
    insert(store, [{"started_at": MONDAY - HOUR, "use_case": "other"} for _ in range(99)])

    assert store.run("text_faults") == []


@pytest.mark.parametrize(
    ("text", "language", "refused"),
    [
        ("", "", 0),
        ("42", "", 0),
        ("This is the plan for you and your team.", "en", 0),
        ("I cannot assist with that request.", "en", 1),
        ("Es tut mir leid, aber ich kann dabei nicht helfen, und das ist die Regel.", "de", 1),
        ("Désolé, mais je ne peux pas vous aider pour les dates dans le plan.", "fr", 1),
        ("Lo siento, pero no puedo: el plan no es para usted.", "es", 1),
        ("Это план для вас.", "cyrillic", 0),
        ("これは計画です", "ja", 0),
        ("这是计划", "zh", 0),
        ("x" * 100_000, "", 0),
    ],
)
def test_what_an_answers_beginning_says(store: Store, text: str, language: str, refused: int) -> None:
    """The phrases and words of version 1: charts hang on them."""
    [row] = store.rows(
        "SELECT tocsin_answer_language_v1({text:String}) AS language, tocsin_refusal_v1({text:String}) AS refused"
        " FROM numbers(1) WHERE {project:String} != ''",
        text=text,
    )

    assert (row["language"], row["refused"]) == (language, refused)


def test_answer_length_by_version_against_the_use_case(store: Store) -> None:
    """A new model that rambles, or is cut short, against what all versions wrote before."""
    with store.together() as filling:
        for hour in range(24):
            filling.calls(
                MONDAY - DAY + hour * HOUR, 10, output_tokens=3000 + 100 * (hour % 2), errors=0, model_version="m2"
            )
    store.calls(MONDAY - 3 * DAY, 300, output_tokens=30_000)
    store.calls(MONDAY - HOUR, 5, use_case="labels")

    [sample] = store.run("answer_length")

    assert (sample.value, sample.baseline, sample.n) == (305, 100, 240)
    half = 1.96 * (24 / 23 * 24 * 50**2) ** 0.5 / 240
    assert (sample.lower, sample.upper) == pytest.approx((305 - half, 305 + half))


@pytest.mark.parametrize("step", [HOUR, DAY])
def test_a_range_of_slots_is_the_slots_one_by_one(store: Store, step: timedelta) -> None:
    """Catch-up, backtest and charts are one query; live evaluation asks slot by slot. Both must say the same."""
    store.profile("confidence", [0.0, 100.0, 100.0], edges=[LOWEST, 1600, 1900], until=MONDAY - 60 * DAY)
    store.profile("number", [150.0, 150.0], field="prompt.chars", edges=[2200, 2330], until=MONDAY - 60 * DAY)
    rows = []
    for hour in range(1, 24 * 24, 3):
        at = MONDAY - 24 * DAY + hour * HOUR
        for i in range(30):
            chars = 100.0 * (1 + (hour * i) % 9)
            text = f"The plan and that {i % 7}" if i % 5 else ""
            said = {"confidence": 0.99, "user_id": f"u{(hour * i) % 301}", "output_text": text}
            rows += [asked(at + (12 + k) * MINUTE, f"s{hour}-{i}", chars + 30 * k * (i % 2), **said) for k in range(2)]
    insert(store, rows)

    for name in ("regenerations", "abandonment", "far_inputs_confident", "text_faults", "answer_length", "overrides"):
        together = store.run(name, since=MONDAY - 3 * step, until=MONDAY, step=step)
        slots = sorted({sample.slot for sample in together})
        alone = [sample for slot in slots for sample in store.run(name, until=slot, step=step)]

        assert slots or name == "answer_length"  # no call says its tokens
        assert [(s.slot, s.labels, s.n) for s in together] == [(s.slot, s.labels, s.n) for s in alone]
        for column in ("value", "lower", "upper", "baseline"):
            assert [getattr(s, column) for s in together] == pytest.approx([getattr(s, column) for s in alone])

"""The judge against a real server that speaks the API, over a real store."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.console.conftest import NOW
from tests.console.review.test_desk import calls

from tocsin_collector.correct.prices import AgreedPrice, UnitPrice
from tocsin_collector.store.database import Database
from tocsin_console.errors import UsageProblem
from tocsin_console.judge.asking import Asker, read_reply
from tocsin_console.judge.desk import JudgeDesk
from tocsin_console.judge.judging import Judge
from tocsin_console.judge.money import Tariff, tariff
from tocsin_console.judge.settings import JudgeSettings, settings_of
from tocsin_console.review.desk import ReviewDesk
from tocsin_console.sections.money import JudgeSection
from tocsin_wire import unpack_handle

PRICE = UnitPrice(input_per_mtok=1.0, output_per_mtok=10.0)
RIGHT = '{"verdict": "right", "reason": "it says what was asked"}'
WRONG = '{"verdict": "wrong", "reason": "it is a dog"}'


@dataclass
class Endpoint:
    """What a server answers, and what it was asked."""

    url: str = ""
    answers: list[Any] = field(default_factory=list)  # texts, or HTTP codes; the last one again and again
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


@pytest.fixture(autouse=True)
def unspent(store: Database) -> None:
    """A cap is of all use cases: each test begins with all of it."""
    store.command("TRUNCATE TABLE judge_verdicts")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A server of the chat completions API, on a port that was free."""
    made = Endpoint(answers=[RIGHT])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.asked.append({"path": self.path, **json.loads(body)})
            made.keys.append(self.headers.get("authorization", ""))
            said = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            code, document = (
                200,
                {
                    "choices": [{"message": {"role": "assistant", "content": said}}],
                    "usage": {"prompt_tokens": 200, "completion_tokens": 20},
                },
            )
            if isinstance(said, int):
                code, document = said, {"error": {"message": "slow down"}}
            data = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def settings(endpoint: Endpoint, use_case: str, **changes: Any) -> JudgeSettings:
    """A judge of five calls a day."""
    made = JudgeSettings(
        endpoint=endpoint.url,
        model="gpt-5-mini",
        key=lambda: "sk-1",
        rubric="Is this right? {{ fields.page }} -> {{ output }}",
        use_cases=(use_case,),
        per_day=5,
        cap_per_day=Decimal("0.10"),
    )
    return replace(made, **changes)


def judge(store: Database, made: JudgeSettings, taken: list[Any], *, now: datetime = NOW) -> Judge:
    """A judge that keeps what it would record."""

    def record(outcomes: Any) -> Any:
        taken.extend(outcomes)
        return {"accepted": len(outcomes), "rejected": 0, "errors": []}

    asked = Asker(made)
    price = Tariff(prices=[PRICE])
    return Judge(store, made, asked, tariff=lambda: price, record=record, clock=lambda: now, now=lambda: now)


def use_case_of(store: Database, count: int = 300) -> str:
    """Calls that are on the books of use cases too."""
    use_case = calls(store, count)
    row = {"project": "default", "use_case": use_case, "hour": NOW - timedelta(days=1), "calls": count, "cost": 0}
    store.insert("ai_calls_1h", [row])
    return use_case


def test_a_day_is_judged_once_as_weighted_outcomes_of_kind_judge(store: Database, endpoint: Endpoint) -> None:
    """Judged again after a restart it would cost twice; without weights it would speak of the sample alone."""
    taken: list[Any] = []
    use_case = use_case_of(store)
    made = settings(endpoint, use_case)
    endpoint.answers = [WRONG, RIGHT]

    first = judge(store, made, taken).turn()
    again = judge(store, made, taken).turn()

    call = unpack_handle(taken[0]["handle"])
    assert (first.judged, again.judged, len(endpoint.asked)) == (5, 0, 5)
    assert endpoint.asked[0]["path"] == "/v1/chat/completions"
    assert endpoint.asked[0]["messages"][1]["content"] == "Is this right? A4 -> cat"
    assert endpoint.keys[0] == "Bearer sk-1"
    assert (taken[0]["kind"], taken[0]["source"], taken[0]["correct"]) == ("judge", made.source, False)
    assert taken[0]["comment"] == "it is a dog"
    assert call.weight > 1
    assert call.confidence > 0
    assert first.spent_today == 5 * (Decimal("0.0002") + Decimal("0.0002"))


def test_the_cap_is_never_exceeded(store: Database, endpoint: Endpoint) -> None:
    """Even if every request cost as much as it can: what is asked was set aside before."""
    taken: list[Any] = []
    use_case = use_case_of(store)
    made = settings(endpoint, use_case, per_day=50, cap_per_day=Decimal("0.0085"))

    turn = judge(store, made, taken, now=NOW + timedelta(minutes=1)).turn()

    assert "cap" in turn.stopped
    assert 0 < turn.judged < 50
    [row] = store.rows(
        "SELECT max(reserved) AS most FROM judge_verdicts FINAL WHERE use_case = {u:String} AND state != 'open'",
        {"u": use_case},
    )
    assert turn.spent_today <= made.cap_per_day
    assert turn.spent_today + row["most"] > made.cap_per_day


def test_two_turns_at_once_ask_once(store: Database, endpoint: Endpoint) -> None:
    """The loop's, and that of somebody who does not want to wait for it."""
    taken: list[Any] = []
    one = judge(store, settings(endpoint, use_case_of(store)), taken)
    threads = [threading.Thread(target=one.turn) for _ in range(3)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(endpoint.asked) == len(taken) == 5


def test_money_of_a_request_that_was_cut_off_counts_as_spent(store: Database, endpoint: Endpoint) -> None:
    """A crash between asking and writing down must not hand out the same money again."""
    use_case = use_case_of(store)
    made = settings(endpoint, use_case)

    class Dies:
        def ask(self, _messages: Any) -> Any:
            raise SystemExit

    doomed = judge(store, made, [], now=NOW + timedelta(days=40))
    doomed._asker = Dies()
    day = timedelta(days=40)
    store.insert(
        "judge_verdicts",
        [
            {
                "project": "default",
                "use_case": use_case,
                "day": (NOW + day).date(),
                "source": made.source,
                "call_id": f"{use_case}-1",
                "started_at": NOW - timedelta(hours=3),
                "selection_probability": 0.1,
                "state": "open",
                "currency": "USD",
                "reserved": Decimal(0),
            }
        ],
    )
    with pytest.raises(SystemExit):
        doomed.turn()

    turn = judge(store, made, [], now=NOW + day).turn()

    assert turn.judged == 0
    assert turn.spent_today > Decimal("0.003")


@pytest.mark.parametrize(
    "text",
    [
        "right",
        '{"verdict": "right"}',
        '{"verdict": "Right", "reason": "x"}',
        '{"verdict": "right", "reason": ""}',
        '{"verdict": "right", "reason": "x", "score": 1}',
        '```json\n{"verdict": "right", "reason": "x"}\n```',
        '[{"verdict": "right", "reason": "x"}]',
        None,
    ],
)
def test_what_is_no_verdict_is_none(text: Any) -> None:
    """A judge that rambles must not be read as one that agrees; why is kept."""
    reply = read_reply(json.dumps({"choices": [{"message": {"content": text}}]}).encode())

    assert reply.correct is None
    assert reply.reason.startswith("expected")


def test_a_busy_endpoint_is_asked_again_later_and_a_broken_verdict_is_not(store: Database, endpoint: Endpoint) -> None:
    """A limit passes; a model that does not answer in the form costs money each time."""
    taken: list[Any] = []
    use_case = use_case_of(store)
    made = settings(endpoint, use_case)
    endpoint.answers = [429, "no idea", RIGHT]

    first = judge(store, made, taken).turn()
    second = judge(store, made, taken).turn()

    assert "429" in first.stopped
    assert (first.judged, second.judged, second.failed) == (0, 4, 1)
    assert len(taken) == 4


def test_calls_that_people_scored_are_judged_too(store: Database, endpoint: Endpoint) -> None:
    """By them the judge's own errors are measured; two samples would hardly meet."""
    taken: list[Any] = []
    use_case = use_case_of(store)
    reviews = ReviewDesk(store, lambda _: {"rejected": 0}, clock=lambda: NOW, now=lambda: NOW)
    reviews.draw("default", use_case, by="ana")
    call_id = reviews.next("default", use_case, by="ana")["item"]["call_id"]
    reviews.score("default", use_case, {"call_id": call_id, "correct": True}, by="ana")

    judge(store, settings(endpoint, use_case), taken).turn()

    assert unpack_handle(taken[0]["handle"]).call_id == call_id
    assert len(taken) == 6


def test_agreement_with_people_has_an_interval(store: Database, endpoint: Endpoint) -> None:
    """A judge that nobody has checked is an opinion."""
    made = settings(endpoint, "agreeing")
    outcome = {"project": "default", "use_case": "agreeing", "started_at": NOW, "observed_at": NOW, "weight": 1.0}
    rows = [
        {**outcome, "call_id": f"a{index}", "kind": kind, "source": source, "outcome_id": kind, "correct": correct}
        for index in range(12)
        for kind, source, correct in (("review", "review", 1), ("judge", made.source, int(index > 2)))
    ]
    store.insert("outcomes", rows)
    verdict = {
        "project": "default",
        "use_case": "agreeing",
        "day": NOW.date(),
        "source": made.source,
        "state": "judged",
    }
    store.insert(
        "judge_verdicts", [{**verdict, "call_id": "a1", "correct": 1, "reserved": Decimal(1), "currency": "USD"}]
    )

    found = JudgeDesk(store=store, settings=made, now=lambda: NOW).status("agreeing")

    agreement = found["judges"][0]["agreement"]
    assert (agreement["n"], agreement["value"], agreement["too_harsh"]) == (12, 0.75, 3)
    assert agreement["lower"] < 0.75 < agreement["upper"]


def test_a_judge_whose_price_nobody_knows_is_not_asked() -> None:
    """A cap that cannot be kept is none; what to write where is said."""

    class Nothing:
        version = "none"
        dated = NOW.date()

        def find(self, _provider: str, _model: str) -> list[UnitPrice]:
            return []

    def of(*agreed: AgreedPrice) -> Tariff:
        return tariff("m", provider="", currency="USD", agreed=agreed, catalogue=Nothing, now=NOW)

    with pytest.raises(UsageProblem, match=r"add \{model: m"):
        of()
    with pytest.raises(UsageProblem, match=r"set judge\.currency to EUR"):
        of(AgreedPrice(model="*", price=UnitPrice(currency="EUR", per_call=0.1)))
    assert of(AgreedPrice(model="m", price=PRICE)).most(["x" * 84], output_tokens=10, seconds=1) == Decimal("0.0002")


def test_a_rubric_is_tried_before_anything_is_asked(tmp_path: Path) -> None:
    """A typo must end the start, not a night's judging; and a rubric can do no more than a message's template."""
    said = {"endpoint": "https://x/v1", "model": "m", "rubric": "r.j2", "cap_per_day": 1}
    section = JudgeSection.model_validate(said)

    for text in ("{{ ouput }}", "{{ ''.__class__ }}", "{{ 'a' * 10 ** 9 }}"):
        (tmp_path / "r.j2").write_text(text)
        with pytest.raises(UsageProblem, match="expected a rubric"):
            settings_of(section, base=tmp_path, key=lambda: "")
    with pytest.raises(ValidationError):
        JudgeSection.model_validate({**said, "cap_per_day": 0})
    (tmp_path / "r.j2").write_text("{{ input }} {{ output }}")
    assert settings_of(section, base=tmp_path, key=lambda: "").source.startswith("m@")


@pytest.mark.server
def test_the_judge_works_over_a_server(server_database: Database, endpoint: Endpoint) -> None:
    """The same statements on ClickHouse 24.10."""
    taken: list[Any] = []
    use_case = use_case_of(server_database)
    made = settings(endpoint, use_case)

    judge(server_database, made, taken).turn()
    found = JudgeDesk(store=server_database, settings=made, now=lambda: NOW).status(use_case)

    assert len(taken) == 5
    assert found["judges"][0]["judged"] == 5
    assert found["judges"][0]["agreement"]["value"] is None

"""Nothing that a rule takes out leaves the process, however it is written down."""

import html
import json
import re
import time
import unicodedata
import urllib.parse
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin._privacy.hashing import hashed
from tocsin._privacy.policies import Policies
from tocsin._privacy.policy import Policy
from tocsin._privacy.rules import Redactor
from tocsin._privacy.settings import Privacy
from tocsin_wire.redaction import PRESETS, Redaction

SHIPPED = tuple(PRESETS.values())
REDACTOR = Redactor(SHIPPED, SHIPPED)
SECRETS = {
    "email": "jo.doe+x@mail.example",
    "card-number": "4111 1111 1111 1111",
    "iban": "DE89370400440532013000",
    "us-ssn": "123-45-6789",
    "phone": "+49 30 901820",
    "ip-address": "192.168.17.5",
    "bearer-token": "Bearer abcdef0123456789ABCDEF",
    "api-key": "sk-abcdefghijklmnopqrstuvwx",
    "private-key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc+/=\n-----END RSA PRIVATE KEY-----",
}
KEYS = (
    "gen_ai.input.messages",
    "input.value",
    "tocsin.input.subject",
    "gen_ai.prompt.0.content",
    "my.own",
    "tocsin.output.text",
)


def policy(**said: Any) -> Policy:
    """The policy of a use case, as `init` makes it."""
    return Policies(Privacy.read({}, **said)).of("triage")


BY_CAPTURE = {
    name: policy(capture=name, review_share=1.0) for name in ("off", "features", "sampled", "redacted", "full")
}


@pytest.mark.parametrize("name", SECRETS)
def test_every_shipped_rule_takes_out_what_it_is_for(name: str) -> None:
    """By the mark that the collector uses, too."""
    assert REDACTOR.text(f"it is {SECRETS[name]} thanks") == f"it is [redacted:{name}] thanks"


@pytest.mark.parametrize(
    "text",
    [
        "call me at +1 (415) 555-0134",
        "ring 030 901820-17",
        "ring (415) 555-0134",
        "from 2001:db8:85a3::8a2e:370:7334",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz",
        "AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_further_spellings_are_taken_out(text: str) -> None:
    """People and machines write one thing in many ways."""
    assert "[redacted:" in REDACTOR.text(text)


@pytest.mark.parametrize(
    "text",
    [
        "order 4711-0815 of 2026-03-02 at 10:15:30",
        "version 3.11.7",
        "4111 1111 1111 1112",
        "pay 1,250.00 EUR",
        "a@b",
        "12345678",
    ],
)
def test_what_is_none_of_it_stays(text: str) -> None:
    """Rules err on the side of taking out, not of taking out everything."""
    assert REDACTOR.text(text) == text


WAYS = {
    "plain": lambda text: text,
    "json": lambda text: json.dumps([{"role": "user", "content": text}]),
    "json of ascii": lambda text: json.dumps({"a": "".join(f"\\u{ord(c):04x}" for c in text)}).replace("\\\\", "\\"),
    "json in json": lambda text: json.dumps({"arguments": json.dumps({"who": text})}),
    "json cut off": lambda text: json.dumps({"a": text, "b": "x" * 50})[:-20],
    "escaped and cut off": lambda text: '{"a": "' + "".join(f"\\u{ord(c):04x}" for c in text) + " and so",
    "address": lambda text: "https://x.example/?q=" + urllib.parse.quote(text, safe=""),
    "page": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "hidden between": "\u200b".join,
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in text),
    "a key": lambda text: json.dumps({text: 1}),
    "long before": lambda text: "word " * 3_400 + text,
    "at the cut": lambda text: "x" * (8_192 - 9) + " " + text,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("key", ["gen_ai.input.messages", "my.own"])
def test_no_way_of_writing_hides_it(name: str, way: str, key: str) -> None:
    """An attribute holds JSON, JSON in JSON, pieces of it, addresses and pages."""
    secret = SECRETS[name]

    said = BY_CAPTURE["redacted"].apply({key: WAYS[way](secret)}, "id")

    assert not survives(secret, json.dumps(said, ensure_ascii=False))


def survives(secret: str, text: str) -> bool:
    """Whether a secret can still be read, by somebody who undoes what was done to it."""
    for _ in range(3):
        text = html.unescape(urllib.parse.unquote(text.replace("\\\\", "\\")))
        text = _unescaped(text)
    text = unicodedata.normalize("NFKC", text).replace("\u200b", "")
    core = secret.splitlines()[1] if "\n" in secret else secret
    return core in text or core[:-1] in text


def _unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)


@settings(max_examples=200, deadline=None)
@given(
    before=st.text(max_size=40),
    after=st.text(max_size=40),
    name=st.sampled_from(sorted(SECRETS)),
    way=st.sampled_from(sorted(set(WAYS) - {"long before", "at the cut"})),
    key=st.sampled_from(KEYS),
)
def test_redacting_again_changes_nothing(before: str, after: str, name: str, way: str, key: str) -> None:
    """A span may pass twice, and the collector may have the same rules."""
    chosen = BY_CAPTURE["redacted"]

    once = chosen.apply({key: WAYS[way](f"{before} {SECRETS[name]} {after}")}, "id")

    assert chosen.apply(once, "id") == once


VALUES = st.recursive(
    st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.sampled_from(list(SECRETS.values())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(KEYS) | st.text(), VALUES | VALUES.map(lambda value: json.dumps(value, default=str))
    )
)
def test_whatever_attributes_hold_a_policy_answers(attributes: dict[str, Any]) -> None:
    """It runs for every span of the host: it never raises, and no secret passes."""
    for capture, chosen in BY_CAPTURE.items():
        said = chosen.apply(attributes, "id")
        if capture != "full":
            shown = json.dumps(said, ensure_ascii=False, default=str)
            assert SECRETS["email"] not in shown
            assert SECRETS["iban"] not in shown


@pytest.mark.parametrize("value", [4111111111111111, 4111111111111111.0])
def test_a_card_s_number_may_be_a_number(value: float) -> None:
    """A table's column of them is no text."""
    assert policy().apply({"tocsin.input.account": value}) == {"tocsin.input.account": "[redacted:card-number]"}


def test_own_rules_stand_beside_the_shipped_ones() -> None:
    """A ticket's number means nothing to us."""
    chosen = policy(capture="redacted", redact=[("ticket", r"T-\d{6}"), "-phone"])

    assert (
        chosen.text("T-123456 of jo@mail.example, +49 30 901820")
        == "[redacted:ticket] of [redacted:email], +49 30 901820"
    )


def test_a_rule_may_look_at_its_own_fields_only() -> None:
    """As in tocsin.yaml."""
    rule = {"name": "name", "pattern": r"Jo \w+", "fields": ["tocsin.input.subject"]}

    said = policy(redact=[rule]).apply({"tocsin.input.subject": "Jo Doe", "tocsin.input.body": "Jo Doe"})

    assert said == {"tocsin.input.subject": "[redacted:name]", "tocsin.input.body": "Jo Doe"}


@pytest.mark.parametrize("pattern", ["(a+)+b", r"^T-(\d+)*x", "(a|aa)+b", r"(\w+\s?)+!", "(x+x+)+y"])
def test_a_pattern_that_explodes_is_refused_in_time(pattern: str) -> None:
    """It would hold the interpreter, and the host with it: nothing can interrupt it."""
    began = time.thread_time()

    privacy = Privacy.read({}, redact=[("mine", pattern)])

    assert "goes back over" in privacy.problem
    assert time.thread_time() - began < 5


@pytest.mark.parametrize(
    "pattern", [r"T-\d{6}", r"[a-z]+(-[a-z]+)*", r"(?i)customer\s+no\.?\s*\d+", r"\b[A-Z]{2}\d{2,8}\b"]
)
def test_an_ordinary_pattern_is_taken(pattern: str) -> None:
    """A check that refuses what people write would be switched off."""
    assert Privacy.read({}, redact=[("mine", pattern)]).problem == ""


def test_a_rule_that_turns_out_slow_lets_nothing_out() -> None:
    """A try cannot prove a pattern quick: over its time a text goes without its words, and after three nobody asks it again."""
    slow = Redaction(name="slow", pattern=r"a*a*b")
    chosen = Policies(Privacy(capture="redacted", rules=(slow,))).of("triage")
    text = "a" * 1_300

    said = [chosen.apply({"input.value": text, "tocsin.use_case": "triage"}) for _ in range(3)]

    began = time.thread_time()
    said.append(chosen.apply({"input.value": text, "tocsin.use_case": "triage"}))
    assert time.thread_time() - began < 0.05
    assert said == [{"tocsin.use_case": "triage", "tocsin.flags": "redaction_failed"}] * 4


def test_shipped_rules_read_the_worst_text_quickly() -> None:
    """A prompt is written by anybody: 64 KB made to hold a rule up must not."""
    worst = (
        "a" * 65_536,
        "1" * 65_536,
        "1-" * 32_768,
        "a." * 32_768,
        "@a." * 21_000,
        "a@" * 32_768,
        "A1" * 32_768,
        "eyJ-" * 16_384,
        "::1" * 20_000,
        "-----BEGIN PRIVATE KEY-----" * 2_400,
        "bearer " * 9_000,
    )
    for text in worst:
        began = time.thread_time()
        policy(capture="redacted").apply({"input.value": text, "my.own": text})
        assert time.thread_time() - began < 3, text[:8]


def test_content_that_is_too_long_is_cut_and_says_so() -> None:
    """A cut that nobody sees reads as an answer that stops."""
    said = policy(capture="full", max_content_chars=100).apply({"input.value": "x" * 1_000})

    assert said["input.value"] == "x" * 100 + "…[cut at 100 characters]"


def test_json_that_is_too_long_stays_json() -> None:
    """The collector and people's tools parse it."""
    messages = json.dumps([{"role": "user", "content": "x" * 90}, {"role": "user", "content": "y" * 90}])

    said = policy(capture="full", max_content_chars=100).apply({"gen_ai.input.messages": messages})

    first, second = json.loads(said["gen_ai.input.messages"])
    assert len(first["content"]) == 90
    assert second["content"].endswith("…[cut at 100 characters]")


def test_a_chosen_field_leaves_as_a_hash_that_stays_the_same() -> None:
    """Segments and joins need that two values are equal, not what they are."""
    environ = {"TOCSIN_HASH": "customer_id,user.id", "TOCSIN_HASH_SALT": "s3cret"}
    one, other = (Policies(Privacy.read(environ)).of("triage") for _ in range(2))

    said = one.apply({"tocsin.input.customer_id": 17, "user.id": "jo@mail.example", "tocsin.input.n": 3})

    assert said == other.apply({"tocsin.input.customer_id": "17", "user.id": "jo@mail.example", "tocsin.input.n": 3})
    assert said["tocsin.input.customer_id"] == hashed(17, b"s3cret") != hashed(17, b"other")
    assert one.apply(said) == said
    assert said["tocsin.input.n"] == 3


def test_without_a_salt_what_would_be_hashed_is_left_out() -> None:
    """Anybody can try all customers' numbers on a hash without a secret."""
    said = policy(hashed=["customer_id"]).apply({"tocsin.input.customer_id": 17, "tocsin.use_case": "triage"})

    assert said == {"tocsin.use_case": "triage", "tocsin.flags": "hash_unsalted"}


def test_a_secret_in_code_is_refused(tmp_path: Any) -> None:
    """A salt comes from the environment or a file."""
    (tmp_path / "salt").write_text("s3cret\n")

    assert "env:NAME or file:PATH" in Privacy.read({}, hash_salt="s3cret").problem
    assert Privacy.read({}, hash_salt=f"file:{tmp_path / 'salt'}").salt == b"s3cret"
    assert Privacy.read({"SALT": "s3cret"}, hash_salt="env:SALT").salt == b"s3cret"
    assert "found nothing" in Privacy.read({}, hash_salt="env:NOBODY_SET_THIS").problem


def test_calls_are_picked_by_their_ids_alone() -> None:
    """Every process, and the collector, picks the same ones; a larger share keeps those of a smaller."""
    ids = [f"{number:048x}" for number in range(4_000)]

    few, more = ({one for one in ids if policy(review_share=share, example_share=0).pick(one)} for share in (0.05, 0.2))

    assert few < more
    assert len(few) == pytest.approx(200, abs=60)
    assert policy(capture="features").pick(ids[0]) is None


def test_a_picked_call_carries_its_content_redacted_and_how_likely_it_was() -> None:
    """A reviewer's findings are weighed by that."""
    said = policy(review_share=1.0).apply({"tocsin.output.text": "Write to jo@mail.example"}, "id")

    assert said == {
        "tocsin.output.text": "Write to [redacted:email]",
        "tocsin.capture": "redacted",
        "tocsin.review.pick": "review",
        "tocsin.review.share": 1.0,
    }


def test_the_environment_names_use_cases() -> None:
    """Operators have no code to change."""
    chosen = Policies(Privacy.read({"TOCSIN_CAPTURE": "triage=full, default=features"}))

    assert (chosen.of("triage").capture, chosen.of("other").capture, chosen.of(None).capture) == (
        "full",
        "features",
        "features",
    )
    assert Policies(Privacy.read({"TOCSIN_CAPTURE": "redacted"})).of("any").capture == "redacted"
    assert "expected capture to be one of" in Privacy.read({"TOCSIN_CAPTURE": "everything"}).problem

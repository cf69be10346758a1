# ruff: noqa: RUF001 - letters that look alike are the matter here
"""What is measured of a prompt says what it is like, and nothing of what it says."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.instrumentation.languages import NOBODYS, SENTENCES

from tocsin._prompts import features, messages_of

WORDS = "Please check my order, it has not been delivered. "


def of(messages: Any, **more: Any) -> dict[str, Any]:
    """Features by their short names."""
    return {key.removeprefix("tocsin.input.prompt."): value for key, value in features(messages, **more).items()}


def test_a_language_is_named_only_when_it_is_sure() -> None:
    """A wrong language is a false drift; "und" is a gap. Sentences of seven words, in 30 languages; nothing tuned to them."""
    guesses = [(name, of(text)["language"]) for name, texts in SENTENCES.items() for text in texts]

    right = sum(name == guess for name, guess in guesses)
    wrong = sum(guess not in {name, "und"} for name, guess in guesses)
    assert right / len(guesses) >= 0.8
    assert wrong / len(guesses) <= 0.02


def test_a_paragraph_is_enough_for_every_language() -> None:
    """Most prompts are longer than a sentence."""
    assert {name: of(" ".join(texts))["language"] for name, texts in SENTENCES.items()} == {
        name: name for name in SENTENCES
    }


def test_what_is_in_no_language_of_ours_is_seldom_guessed_at() -> None:
    """Names, numbers and other languages are undetermined."""
    assert sum(of(text)["language"] != "und" for text in NOBODYS) <= 1


def test_a_prompt_is_measured_from_where_the_model_last_answered() -> None:
    """Earlier turns were measured when they were new; the developer's part is not the user's."""
    turns = [
        {"role": "system", "content": "You sort tickets."},
        {"role": "user", "content": "Hallo, wo ist mein Paket?"},
        {"role": "assistant", "content": "Welche Nummer?"},
        {"role": "user", "content": "It is number 17, thank you."},
    ]

    said = of(turns)

    assert (said["chars"], said["turn"], said["language"]) == (27, 2, "en")
    assert said["context_chars"] == sum(len(one["content"]) for one in turns)


FORMS: dict[str, Any] = {
    "text": "Where is my parcel?",
    "openai": [{"role": "user", "content": "Where is my parcel?"}],
    "openai parts": [
        {"role": "user", "content": [{"type": "input_text", "text": "Where is my parcel?"}, {"type": "image_url"}]}
    ],
    "official": [{"role": "user", "parts": [{"type": "text", "content": "Where is my parcel?"}]}],
    "pairs": [("user", "Where is my parcel?")],
    "one message": {"role": "user", "content": "Where is my parcel?"},
    "objects": [SimpleNamespace(type="human", content="Where is my parcel?")],
    "gemini": [{"role": "user", "parts": [{"text": "Where is my parcel?"}]}],
    "tool result": [{"role": "tool", "content": [{"type": "tool_result", "content": "Where is my parcel?"}]}],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_client_s_form_reads_the_same(form: str) -> None:
    """A team that changes its client has not changed its users."""
    assert of(FORMS[form]) == of("Where is my parcel?")


def test_scripts_are_shares_and_a_word_of_two_is_counted() -> None:
    """A Cyrillic letter in "paypal" is how phishing looks."""
    said = of("Please log in to pаypal now")

    assert said["mixed_script_words"] == 1
    assert said["script.cyrillic"] == pytest.approx(1 / 22, abs=0.001)
    assert of("東京タワーへ行きたい")["mixed_script_words"] == 0


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("zero_width", "ig\u200bnore"),
        ("bidi", "abc\u202edef"),
        ("tags", "hi\U000e0041\U000e0042"),
        ("variation", "a\ufe0fb"),
        ("bom", "x\ufeff"),
        ("control", "a\x07b"),
    ],
)
def test_what_a_person_does_not_see_is_counted(kind: str, text: str) -> None:
    """Instructions hidden from reviewers are read by the model."""
    said = of(text)

    assert said[f"hidden.{kind}"] == said["hidden"] >= 1
    assert of(text.encode("ascii", "ignore").decode().replace("\x07", ""))["hidden"] == 0


@pytest.mark.parametrize("text", ["thanks 👍🏽", "👩‍👩‍👧 ❤️ ☎️", "می‌خواهم", "क्‍ष"])
def test_emoji_and_scripts_that_join_hide_nothing(text: str) -> None:
    """Else every friendly message would look like an attack."""
    assert of(text)["hidden"] == 0


@pytest.mark.parametrize(
    ("kind", "pasted"),
    [
        ("html", '<table class="x"><tr><td>7</td></tr></table>'),
        ("code", "```python\nprint(1)\n```"),
        ("url", "https://shop.example/orders?id=17"),
        ("base64", base64.b64encode(bytes(range(90))).decode()),
        ("markdown", "\n# Title\n\n- **one** point\n- [two](x)\n"),
    ],
)
def test_what_was_pasted_is_a_share_of_the_text(kind: str, pasted: str) -> None:
    """A feature made for sentences, fed with pages, answers worse."""
    said = of(WORDS + pasted)

    assert 0 < said[f"markup.{kind}"] <= said["markup"] < 1
    assert of(WORDS)["markup"] == 0


def test_words_out_of_the_ordinary_are_a_share() -> None:
    """Against the frequent words of the text's own language; where none is sure, nothing is said."""
    usual = of(WORDS)["unknown_words"]
    unusual = of("Please check my flux capacitor, it has overheated the tachyon manifold. ")["unknown_words"]

    assert usual < unusual
    assert "unknown_words" not in of("xkcd qwfp")


def test_a_template_s_hash_outlives_dates_and_numbers() -> None:
    """A prompt that says today's date is the same prompt tomorrow."""
    monday, tuesday = (
        "You sort tickets. Today is Mon 2 March 2026, 09:15.",
        "You sort tickets. Today is Tue 3 March 2026, 10:40.",
    )
    asked = {"role": "user", "content": "help"}

    hashes = {of([{"role": "system", "content": text}, asked])["template_hash"] for text in (monday, tuesday)}

    assert len(hashes) == 1
    assert of([{"role": "system", "content": "You answer tickets."}, asked])["template_hash"] not in hashes
    assert "template_hash" not in of("help")


def test_a_template_is_no_part_of_what_was_filled_in() -> None:
    """The user wrote only what stands in its place."""
    said = of(
        "Sort this ticket: wo ist mein Paket und meine Rechnung?\nAnswer:",
        template="Sort this ticket: {ticket}\nAnswer:",
    )

    assert (said["language"], said["chars"]) == ("de", 37)


def test_a_huge_prompt_is_looked_at_in_pieces() -> None:
    """A megabyte pasted by somebody must not hold up the others' spans."""
    said = of(WORDS * 20_000)

    assert said["chars"] == 20_000 * len(WORDS)
    assert said["words"] == pytest.approx(20_000 * 9, rel=0.02)
    assert said["language"] == "en"


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["role", "content", "parts", "text"]), inner)
        ),
    )
)
def test_whatever_is_passed_as_a_prompt_is_measured(messages: Any) -> None:
    """It runs beside the host: shares stay shares, and nothing raises."""
    said = of(messages)

    assert all(isinstance(value, (str, int, float)) for value in said.values())
    assert all(0 <= value <= 1 for name, value in said.items() if name.startswith(("script.", "markup", "unknown")))


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=25, max_size=200))
def test_no_words_of_a_prompt_are_in_what_is_measured(text: str) -> None:
    """This leaves the process even where content may not."""
    assert text not in json.dumps(features(text), ensure_ascii=False)


OTHERS: dict[str, tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]] = {
    "official": (
        {
            "gen_ai.input.messages": '[{"role":"user","parts":[{"content":"Where is my parcel?","type":"text"}]}]',
            "gen_ai.system_instructions": '[{"type":"text","content":"You sort tickets."}]',
        },
        [],
    ),
    "openinference": (
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "You sort tickets.",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.text": "Where is my parcel?",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
        },
        [],
    ),
    "openinference request": (
        {
            "input.value": '{"model":"gpt-4o","messages":[{"role":"system","content":"You sort tickets."},{"role":"user","content":"Where is my parcel?"}]}'
        },
        [],
    ),
    "anthropic request": (
        {"input.value": '{"system":"You sort tickets.","messages":[{"role":"user","content":"Where is my parcel?"}]}'},
        [],
    ),
    "traceloop": (
        {
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "You sort tickets.",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": '[{"type":"text","text":"Where is my parcel?"}]',
        },
        [],
    ),
    "traceloop entity": (
        {
            "traceloop.entity.input": '{"inputs":{"messages":[{"role":"system","content":"You sort tickets."},{"role":"user","content":"Where is my parcel?"}]}}'
        },
        [],
    ),
    "events": (
        {"gen_ai.system": "openai"},
        [
            ("gen_ai.system.message", {"content": "You sort tickets."}),
            ("gen_ai.user.message", {"content": "Where is my parcel?"}),
        ],
    ),
    "operation details": (
        {},
        [
            (
                "gen_ai.client.inference.operation.details",
                {
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"content":"Where is my parcel?","type":"text"}]}]',
                    "gen_ai.system_instructions": '[{"type":"text","content":"You sort tickets."}]',
                },
            )
        ],
    ),
}


@pytest.mark.parametrize("whose", OTHERS)
def test_a_prompt_is_found_on_whoever_s_span_it_is(whose: str) -> None:
    """Instrumentations disagree on where a prompt stands; its features agree."""
    plain = [{"role": "system", "content": "You sort tickets."}, {"role": "user", "content": "Where is my parcel?"}]

    found = messages_of(*OTHERS[whose])

    assert of(found) == of(plain)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "gen_ai.input.messages",
                "input.value",
                "traceloop.entity.input",
                "gen_ai.prompt.0.content",
                "llm.input_messages.x",
            ]
        ),
        st.text()
        | st.sampled_from(
            ['{"messages":[[]]}', '[null,1,"x"]', '{"inputs":7}', '["a"]', "[[[[", '{"messages":{"a":1}}']
        ),
    )
)
def test_a_span_that_holds_something_else_is_no_trouble(said: dict[str, Any]) -> None:
    """Others write what they like under these keys."""
    found = messages_of(said)

    assert found is None or of(found)

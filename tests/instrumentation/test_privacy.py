"""What leaves the process is what the use case's policy lets out."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

import tocsin
from tocsin._privacy.policies import Policies
from tocsin._privacy.settings import Privacy

SECRET = "jo.doe@mail.example"
PROMPT = [{"role": "system", "content": "You sort tickets."}, {"role": "user", "content": f"I am {SECRET}, help"}]


def policies(**said: Any) -> Policies:
    """Policies as `init` would make them."""
    return Policies(Privacy.read({}, **said))


def test_words_of_a_prompt_stay_here_unless_somebody_asked_for_them(collector: Any) -> None:
    """The default: what is measured leaves, what was written does not."""
    tocsin.init(endpoint=collector.endpoint, review_share=0, example_share=0)

    with tocsin.observe("triage") as call:
        call.set_prompt(PROMPT)
        call.set_output(label="billing", text=f"Write to {SECRET}")

    assert tocsin.flush()
    [said] = collector.attributes()
    assert said["tocsin.input.prompt.language"] == "en"
    assert said["tocsin.output.label"] == "billing"
    assert said["tocsin.capture"] == "features"
    assert SECRET not in json.dumps(said)
    assert not {"gen_ai.input.messages", "tocsin.output.text"} & said.keys()


@pytest.mark.parametrize(
    ("capture", "prompt", "features"),
    [
        ("off", None, False),
        ("features", None, True),
        ("redacted", "I am [redacted:email], help", True),
        ("full", f"I am {SECRET}, help", True),
    ],
)
def test_each_use_case_says_what_may_leave(collector: Any, capture: str, prompt: str | None, features: bool) -> None:
    """Support tickets and product texts are not the same risk."""
    tocsin.init(endpoint=collector.endpoint, capture={"triage": capture, "default": "off"})

    with tocsin.observe("triage") as call:
        call.set_prompt(PROMPT)

    assert tocsin.flush()
    [said] = collector.attributes()
    messages = said.get("gen_ai.input.messages")
    assert (messages and json.loads(messages)[0]["parts"][0]["content"]) == prompt
    assert ("tocsin.input.prompt.chars" in said) == features


def test_a_rule_that_fails_lets_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail closed: a call without its words is a gap, a leak cannot be taken back."""
    chosen = policies(capture="redacted").of("triage")

    def breaks(*_: object) -> str:
        raise RecursionError

    monkeypatch.setattr(type(chosen.redactor), "text", breaks)

    said = chosen.apply({"tocsin.use_case": "triage", "tocsin.output.text": SECRET, "gen_ai.usage.input_tokens": 7})

    assert said == {"tocsin.use_case": "triage", "gen_ai.usage.input_tokens": 7, "tocsin.flags": "redaction_failed"}


def test_a_setting_that_cannot_be_read_lets_nothing_out() -> None:
    """A slip in a pattern must not send what it was to take out, nor stop the service."""
    privacy = Privacy.read({"TOCSIN_CAPTURE": "full"}, redact=[("mine", "(")])

    said: Mapping[str, Any] = Policies(privacy).of(None).apply({"input.value": SECRET, "tocsin.confidence": 0.5})

    assert "regular expression in mine" in privacy.problem
    assert said == {"tocsin.confidence": 0.5, "tocsin.flags": "redaction_failed"}

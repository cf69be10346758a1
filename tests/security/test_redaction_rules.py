"""Redaction rules are refused where they are written, not when the first segment arrives."""

import re

import pytest

from tocsin_collector.privacy.redaction import PRESETS, Redaction
from tocsin_collector.settings import CollectorSettings


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(?<=card )\d+", "looks ahead or behind"),
        (r"\d+(?!x)", "looks ahead or behind"),
        (r"(a)\1", "refers back"),
        (r"(?P<q>a)(?P=q)", "refers back"),
        (r"\d++", "possessive"),
        (r"(?>a+)b", "possessive"),
        (r"a{1001}", "at most 1000"),
        (r"a*", "matches the empty one"),
        (r"(a", "regular expression"),
        ("", "1 to 1000"),
    ],
)
def test_a_pattern_that_the_engine_cannot_run_is_refused(pattern: str, why: str) -> None:
    """The engine's RE2 would refuse every segment instead, and the spool would fill."""
    with pytest.raises(ValueError, match=why):
        Redaction(name="mine", pattern=pattern)


@pytest.mark.parametrize(
    "pattern", [r"\d*\d+", r"[a*+]+", r"\\\d", r"x\*+", r"[\]+*+]x", r"^T-\d{6}\z", r"(?i)bearer\s"]
)
def test_an_ordinary_pattern_is_taken(pattern: str) -> None:
    """A check that refuses what RE2 reads would be worse than none."""
    assert Redaction(name="mine", pattern=pattern).pattern == pattern


@pytest.mark.parametrize("name", ["", "Card", "a b", "-a", "x" * 41, "a]"])
def test_a_name_stays_readable_in_its_place(name: str) -> None:
    """It is printed in brackets inside of texts."""
    with pytest.raises(ValueError, match="name"):
        Redaction(name=name, pattern="a")


def test_a_field_is_a_key_or_a_prefix() -> None:
    """A star elsewhere would be read as nothing at all."""
    Redaction(name="mine", pattern="a", fields=("gen_ai.*", "tocsin.input.subject"))

    with pytest.raises(ValueError, match="prefix"):
        Redaction(name="mine", pattern="a", fields=("gen_ai.*.content",))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("email", "write to jo.doe+x@mail.example.co.uk, please", "jo.doe+x@mail.example.co.uk"),
        ("card-number", "card 4111-1111 1111-1111!", "4111-1111 1111-1111"),
        ("iban", "to DE89 3704 0044 0532 0130 00 today", "DE89 3704 0044 0532 0130 00"),
        ("us-ssn", "ssn 078-05-1120.", "078-05-1120"),
        ("bearer-token", "Authorization: Bearer abcdefghijklmnop1234==", "Bearer abcdefghijklmnop1234=="),
        ("api-key", "key sk-abcdefghijklmnopqrstuvwx end", "sk-abcdefghijklmnopqrstuvwx"),
        ("api-key", "tk_0a1b2c3d_" + "Ab-_" * 11, "tk_0a1b2c3d_" + "Ab-_" * 11),
    ],
)
def test_a_shipped_rule_finds_what_it_is_named_after(name: str, text: str, expected: str) -> None:
    """The whole of it: a rest of a key is still a hint."""
    found = re.search(PRESETS[name].pattern, text)

    assert found is not None
    assert found[0] == expected


def test_two_rules_of_one_name_are_refused() -> None:
    """A reader of [redacted:x] must know which rule it was."""
    with pytest.raises(ValueError, match="different names"):
        CollectorSettings(data_dir=None, redactions=(PRESETS["email"], PRESETS["email"]))  # type: ignore[arg-type]

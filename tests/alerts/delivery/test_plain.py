"""Text that came from models and users cannot act."""

import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_alerts.plain import Untrusted, harmless, one_line, without_links, without_mentions


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_becomes_one_printable_line(text: str) -> None:
    """Whatever a model says, a terminal and a mail show one line of it."""
    line = one_line(text)

    assert line.splitlines() in ([], [line])
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for char in line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x9b2Jgone", "gone"),
        ("one\r\ntwo\x00\x08three", "one twothree"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("a\u200bb\ufeffc\u2066d", "abcd"),
        ("\ud800lone", "lone"),
        ("Z" + "\u0335" * 50 + "algo", "Z" + "\u0335" * 3 + "algo"),
        ("größer → 数字 ✓", "größer → 数字 ✓"),
    ],
)
def test_escapes_and_direction_marks_go_and_letters_stay(text: str, shown: str) -> None:
    """Terminal escapes can forge output; bidi marks can forge words; other scripts are just words."""
    assert one_line(text) == shown


def test_long_text_is_cut_without_reading_all_of_it() -> None:
    """A five-megabyte answer costs no more than a line."""
    assert one_line("x" * 5_000_000, limit=10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    "text", ["@channel wake up", "hi @here", "@everyone", "<!channel>", "<@U123>", "<http://evil|ok>"]
)
def test_mentions_are_broken(text: str) -> None:
    """A model's answer must not wake a whole channel."""
    broken = without_mentions(text)

    assert broken.replace("\u200b", "") == text
    assert not any(mention in broken for mention in ("@channel", "@here", "@everyone", "<!", "<@", "<http"))


def test_mail_addresses_stay_whole() -> None:
    """They are there to be copied."""
    assert without_mentions("ask oncall@example.com") == "ask oncall@example.com"


@dataclass(frozen=True)
class Inner:
    """A record in a record."""

    said: str


@dataclass(frozen=True)
class Outer:
    """A record of every kind of value."""

    inner: Inner
    many: tuple[Inner, ...]
    named: dict[str, str]
    number: float | None


def test_records_are_cleaned_to_the_bottom() -> None:
    """One forgotten field is a hole."""
    bad = "\x1b[31m@here\n"

    clean = harmless(Outer(Inner(bad), (Inner(bad),), {bad: bad}, 1.5), chat=True)

    good = "@\u200bhere"
    assert clean == Outer(Inner(good), (Inner(good),), {good: good}, 1.5)


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/x",
        "www.evil.com",
        "evil.com",
        "a@evil.com",
        "mailto:a",
        "[ok](https://e.io)",
        "javascript:x",
    ],
)
def test_links_are_broken(text: str) -> None:
    """Mail programs and pagers make links of plain text, and people follow what an alert shows them."""
    broken = without_links(text)

    assert broken.replace("\u200b", "") == text
    assert broken != text


@pytest.mark.parametrize("text", ["upper 0.896 < floor 0.9", "v1.2.3", "12:30", "ink=0.31 device=flatbed-2", "a: b"])
def test_figures_are_not_links(text: str) -> None:
    """They are there to be copied."""
    assert without_links(text) == text


@dataclass(frozen=True)
class Said:
    """One field of an operator's, and others of a model's."""

    ours: str
    theirs: Untrusted
    listed: tuple[Untrusted, ...]
    named: dict[Untrusted, Untrusted]


def test_only_what_others_said_loses_its_links() -> None:
    """A runbook is there to be followed; a program that reads the data compares names."""
    said = Said("https://wiki.io", "https://e.io", ("e.io",), {"e.io": "e.io"})

    shown, exact = harmless(said), harmless(said, chat=True, exact=True)

    assert shown.ours == "https://wiki.io"
    assert not any("e.io" in text for text in (shown.theirs, *shown.listed, *shown.named, *shown.named.values()))
    assert exact == said

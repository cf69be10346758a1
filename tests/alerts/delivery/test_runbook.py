"""A runbook beside the plan is read to its first steps; nothing else is."""

from pathlib import Path

import pytest

from tocsin_alerts.plan import Plans
from tocsin_alerts.runbook import first_steps

TEXT = """# Digits

- who: the vision team

1. Look at the five calls:
   is one device in all of them?
2) Ask the site.
   - by phone
3. Fall back.
4. Go to bed.

## Cost

1. Look at the bill.
"""


def test_the_first_numbered_list_is_what_to_do(tmp_path: Path) -> None:
    """Three steps fit a phone; the link has the rest."""
    (tmp_path / "digits.md").write_text(TEXT)

    steps = first_steps("digits.md", tmp_path)

    assert steps == ("Look at the five calls: is one device in all of them?", "Ask the site.", "Fall back.")
    assert first_steps("digits.md#cost", tmp_path) == ("Look at the bill.",)


def test_without_numbers_any_list_is(tmp_path: Path) -> None:
    """Not everybody numbers."""
    (tmp_path / "r.md").write_text("Text.\n\n* [ ] one\n* [x] two\n\nMore.\n* not a step\n")

    assert first_steps("r.md", tmp_path) == ("one", "two")


@pytest.mark.parametrize(
    "link",
    ["https://wiki.example.com/r.md", "../secret.md", "/etc/passwd", "link.md", "none.md", "image.png", "", "#x"],
)
def test_nothing_beyond_the_folder_is_read(tmp_path: Path, link: str) -> None:
    """A plan is written by a team, and its message goes to a chat."""
    (tmp_path / "secret.md").write_text("1. secret\n")
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    (folder / "image.png").write_text("1. no\n")

    assert first_steps(link, folder) == ()


def test_a_plan_that_lists_steps_keeps_them(tmp_path: Path) -> None:
    """What stands in the plan was meant."""
    (tmp_path / "runbook.md").write_text("1. from the file\n")
    (tmp_path / "a.yaml").write_text("use_case: a\nrunbook: {link: runbook.md}\n")
    (tmp_path / "b.yaml").write_text("use_case: b\nrunbook: {link: runbook.md, first_steps: [mine]}\n")

    plans = Plans.load(tmp_path)

    assert plans.get("default", "a").runbook.first_steps == ["from the file"]
    assert plans.get("default", "b").runbook.first_steps == ["mine"]

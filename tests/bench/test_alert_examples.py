"""docs/alerts shows what is sent today."""

from alert_examples import CHART, FOLDER, MAIL_PICTURE, examples, shipped


def test_the_documented_examples_are_what_is_sent() -> None:
    """A reader decides by them what to send where; ``python bench/alert_examples.py`` writes them anew."""
    chart = (FOLDER / CHART).read_bytes()

    made = examples(shipped(), chart)

    stale = [name for name, content in made.items() if (FOLDER / name).read_bytes() != content]
    assert stale == []
    assert {path.name for path in FOLDER.iterdir()} == {*made, CHART, MAIL_PICTURE, "README.md"}
    assert (FOLDER / MAIL_PICTURE).read_bytes().startswith(b"\x89PNG")

"""An entry in tocsin.yaml that leaves the rest of the file alone."""

from pathlib import Path

import pytest

from tocsin_alerts.documents import load
from tocsin_console.config_file import TocsinYaml
from tocsin_console.errors import UsageProblem
from tocsin_console.mapping import put_first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# mine\nclock: data  # yes\n",
        "use_case_map:\n  - use_case: old\nclock: data\n",
        "use_case_map: # ours\n# a comment\n- {use_case: old}\n",
        "use_case_map: []\n",
    ],
)
def test_the_new_entry_comes_first_and_comments_stay(tmp_path: Path, text: str) -> None:
    """First match wins; and a file that a program rewrites without its comments is no longer the team's."""
    file = tmp_path / "tocsin.yaml"
    file.write_text(text)

    put_first(file, {"service": 'odd: "name"', "use_case": "new"})

    entries = load(file, TocsinYaml).use_case_map
    assert (entries[0].service, entries[0].use_case) == ('odd: "name"', "new")
    assert [entry.use_case for entry in entries[1:]] == (["old"] if "old" in text else [])
    assert all(line.partition("#")[2] in file.read_text() for line in text.splitlines() if "#" in line)


def test_a_list_in_one_line_is_left_to_its_author(tmp_path: Path) -> None:
    """Better no change than a wrong one."""
    file = tmp_path / "tocsin.yaml"
    file.write_text("use_case_map: [{use_case: old}]\n")

    with pytest.raises(UsageProblem):
        put_first(file, {"use_case": "new"})

    assert file.read_text() == "use_case_map: [{use_case: old}]\n"

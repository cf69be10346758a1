"""The worked numbers of the concept pages, by the product's own interval."""

import re
from pathlib import Path

from tocsin_console.cost.lines import wilson

CONCEPTS = Path(__file__).resolve().parents[2] / "docs" / "concepts"


def test_the_table_of_intervals_is_the_products() -> None:
    """A reader learns from it how many labels a page takes."""
    text = (CONCEPTS / "evidence.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d,]+) \| (\d+) % \| (\d+) to (\d+) % \| (\S.*) \|$", text, re.MULTILINE)
    assert len(rows) == 4

    for count, share, lower, upper, said in rows:
        n = int(count.replace(",", ""))
        made = wilson(int(share) / 100, n)

        assert [f"{100 * end:.0f}" for end in made] == [lower, upper]
        assert said.startswith("yes") == (n >= 50 and made[1] < 0.9), said


def test_the_example_of_quality_is_the_products() -> None:
    """Two intervals of one share."""
    text = (CONCEPTS / "quality.md").read_text(encoding="utf-8")

    for n in (700, 2_800):
        lower, upper = wilson(618 / 700, n)
        assert f"{100 * lower:.1f} to {100 * upper:.1f} %" in text

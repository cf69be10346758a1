"""The documents as a site: strict, and read without the internet."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a browser fetches by itself; a link that somebody clicks is not.
_FETCHED = re.compile(r"""<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)=["']?([^"'\s>]+)""")
_STYLE = re.compile(r"url\(\s*[\"']?(https?:[^)\"']+)|@import\s+[\"']?(https?:[^\"';]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    words = ["--quiet", "--builder", "html", "--fail-on-warning", "--keep-going", "--nitpicky"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, "docs", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_a_reader_fetches_nothing_from_elsewhere(site: Path) -> None:
    """Fonts and scripts of others tell others who reads; and a cluster without internet has readers too."""
    foreign = {
        (page.name, address)
        for page in site.rglob("*.html")
        for address in _FETCHED.findall(page.read_text(encoding="utf-8"))
        if address.startswith(("http:", "https:", "//"))
    }
    styles = {file.name: found for file in site.rglob("*.css") if (found := _STYLE.findall(file.read_text("utf-8")))}

    assert foreign == set()
    assert styles == {}


def test_pictures_and_pages_are_all_there(site: Path) -> None:
    """A page that no menu leads to is not read."""
    menu = (site / "index.html").read_text(encoding="utf-8")
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}

    assert {str(page) for page in pages if not (site / page).exists()} == set()
    assert "quickstart.html" in menu

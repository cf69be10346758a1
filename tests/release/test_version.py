"""One place says which version this is, and the changelog agrees."""

import json
import re
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path

import tocsin
from tocsin_wire.version import user_agent, version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEADINGS = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
RELEASES = [re.fullmatch(r"(\d+\.\d+\.\d+) \u2013 (\d{4}-\d\d-\d\d)", heading) for heading in HEADINGS[1:]]


def test_the_changelog_begins_with_what_is_unreleased() -> None:
    """Whoever changes something finds where to say so, and nobody adds to a version that is out."""
    assert HEADINGS[0] == "Unreleased"


def test_the_latest_released_version_of_the_changelog_is_the_packages() -> None:
    """A version that was raised without a word, or described without being raised, is found before it is built."""
    latest = RELEASES[0]

    assert latest is not None, f"expected a version and its day, not {HEADINGS[1]!r}"
    assert latest[1] == PROJECT["version"]


def test_versions_and_dates_of_the_changelog_go_back() -> None:
    """Each is a version once, and no older than the one below it; none is of the future."""
    assert all(RELEASES), [heading for heading, read in zip(HEADINGS[1:], RELEASES, strict=True) if not read]
    numbers = [tuple(map(int, read[1].split("."))) for read in RELEASES if read]
    days = [date.fromisoformat(read[2]) for read in RELEASES if read]

    assert numbers == sorted(set(numbers), reverse=True)
    assert days == sorted(days, reverse=True)
    assert days[0] <= datetime.now(UTC).date()


def test_no_source_names_a_version_of_its_own() -> None:
    """A second place is one that somebody forgets: everybody asks the package's metadata."""
    packages = [ROOT / folder for folder in ("proto", "instrumentation", "collector_service", "alerts", "console")]
    number = re.compile(rf'["\']{re.escape(PROJECT["version"])}["\']')

    named = [path for folder in packages for path in folder.rglob("*.py") if number.search(path.read_text("utf-8"))]
    asking = [
        path
        for folder in packages
        for path in folder.rglob("*.py")
        if 'metadata.version("tocsin")' in path.read_text("utf-8")
    ]

    assert named == []
    assert asking == [ROOT / "proto" / "tocsin_wire" / "version.py"]


def test_commands_library_and_requests_say_the_installed_version() -> None:
    """A report of a defect begins with it, whoever was asked."""
    installed = metadata.version("tocsin")
    command = [sys.executable, "-m", "tocsin_console", "--version", "--json"]

    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert said["tocsin"] == installed
    assert tocsin.__version__ == version() == installed
    assert user_agent() == f"tocsin/{installed}"

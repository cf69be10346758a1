"""What is built is what was meant, all of it and nothing else, and the same bytes wherever it is built."""

import email
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from _release import building

ROOT = building.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMES = building.tracked()
EPOCH = 1_767_225_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One tree's sdist and wheel, another tree's, and the wheel that the first sdist gives."""

    sdist: Path
    wheel: Path
    other_sdist: Path
    other_wheel: Path
    wheel_of_sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build from two copies of the tree that differ in place, order, times and modes."""
    folder = tmp_path_factory.mktemp("built")
    one = building.copy(NAMES, folder / "one", umask=0o022)
    other = building.copy(NAMES[::-1], folder / "somewhere else", umask=0o077)
    wheel, sdist = sorted(building.build(one, folder / "a", "sdist", "wheel", epoch=EPOCH), key=lambda path: path.name)
    other_wheel, other_sdist = sorted(
        building.build(other, folder / "b", "sdist", "wheel", epoch=EPOCH, umask=0o077), key=lambda path: path.name
    )
    unpacked = building.unpack(sdist, folder / "unpacked")
    [of_sdist] = building.build(unpacked, folder / "c", "wheel", epoch=EPOCH)
    return Built(sdist=sdist, wheel=wheel, other_sdist=other_sdist, other_wheel=other_wheel, wheel_of_sdist=of_sdist)


def test_two_trees_give_the_same_bytes(built: Built) -> None:
    """Whoever builds a commit can check what was published by its hash."""
    assert built.wheel.read_bytes() == built.other_wheel.read_bytes()
    assert built.sdist.read_bytes() == built.other_sdist.read_bytes()


def test_the_sdist_gives_the_same_wheel(built: Built) -> None:
    """Distributions build from the sdist: what it lacks would be missing there alone."""
    assert built.wheel.read_bytes() == built.wheel_of_sdist.read_bytes()


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(built: Built) -> None:
    """A migration, rule, template or dashboard that is left out fails at a user's, not here; a test in it is ballast."""
    info = f"tocsin-{PROJECT['version']}.dist-info"
    held = set(building.contents(built.wheel))

    own = {name for name in held if name.startswith(f"{info}/")}

    assert held - own == building.meant_for_wheel(NAMES)
    assert {name.removeprefix(f"{info}/") for name in own} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }


def test_every_kind_of_data_is_in_the_wheel(built: Built) -> None:
    """What the comparison with the tree cannot see: a folder that was moved out of the packages altogether."""
    held = set(building.contents(built.wheel))

    for kind in (
        r"tocsin_collector/migrations/0001_\w+\.sql",
        r"tocsin_alerts/rules/[\w-]+\.yaml",
        r"tocsin_alerts/templates/[\w.-]+\.j2",
        r"tocsin_alerts/evaluators/\w+\.sql",
        r"tocsin_console/(\w+/)*[\w-]+\.css",
        r"tocsin_console/(\w+/)*[\w-]+\.js",
        r"tocsin_console/grafana/[\w-]+\.json",
        r"tocsin(_wire|_collector|_alerts|_console)?/py\.typed",
    ):
        assert any(re.fullmatch(kind, name) for name in held), kind
    assert sum(name.endswith("/py.typed") for name in held) == len(building.PACKAGES)


def test_the_sdist_is_what_the_wheel_is_built_from(built: Built) -> None:
    """Neither tests nor nine megabytes of pictures travel to everybody who installs from source."""
    assert set(building.contents(built.sdist)) == building.meant_for_sdist(NAMES)
    assert built.sdist.stat().st_size < 2_500_000


def test_the_metadata_says_what_an_index_shows(built: Built) -> None:
    """Version, licence, supported Pythons; a description whose every link leads somewhere without the repository."""
    read = building.contents(built.wheel)[f"tocsin-{PROJECT['version']}.dist-info/METADATA"]
    said = email.message_from_bytes(read)

    description = str(said.get_payload())

    assert (said["Name"], said["Version"], said["License-Expression"]) == ("tocsin", PROJECT["version"], "Apache-2.0")
    assert said["Requires-Python"] == ">=3.11"
    assert re.findall(r"\]\((?!https?://)|<img|!\[", description) == []
    assert len(description) > 1_000


def test_an_index_takes_both(built: Built) -> None:
    """Twine renders the description as an index does, and warns of nothing."""
    command = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", str(built.wheel), str(built.sdist)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2

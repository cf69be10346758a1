"""Builds wheel and sdist of a tree as `make dist` does, and says what is in them."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

ROOT: Final = Path(__file__).resolve().parents[2]
Kind = Literal["sdist", "wheel"]
PACKAGES: Final = (
    "proto/tocsin_wire",
    "instrumentation/tocsin",
    "collector_service/tocsin_collector",
    "alerts/tocsin_alerts",
    "console/tocsin_console",
)
DASHBOARDS: Final = ("deploy/grafana/dashboards", "tocsin_console/grafana")  # here, and in the wheel
# The sdist is the packages, the dashboards and these; hatchling adds the last two.
BESIDE: Final = ("CHANGELOG.md", "LICENSE", "deploy/description.md", "pyproject.toml", ".gitignore", "PKG-INFO")


def build(tree: Path, into: Path, *kinds: Kind, epoch: int, umask: int = 0o022) -> list[Path]:
    """Build from a folder of sources with this interpreter's hatchling, fetching nothing.

    Args:
        tree: What holds pyproject.toml.
        into: Where the files go.
        kinds: sdist, wheel or both; both from the tree, unlike `make dist`, whose wheel is built from the sdist.
        epoch: Seconds since 1970 that files in the archives carry.
        umask: Under which the builder works.

    Raises:
        RuntimeError: it was not built; the builder's output says why.
    """
    into.mkdir(parents=True, exist_ok=True)
    before = set(into.iterdir())
    words = [sys.executable, "-m", "build", "--no-isolation", *(f"--{kind}" for kind in kinds), "--outdir", str(into)]
    own = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run([*words, str(tree)], env=own, umask=umask, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{tree} was not built:\n{done.stdout}{done.stderr}")
    return sorted(set(into.iterdir()) - before)


def tracked(root: Path = ROOT) -> list[str]:
    """Name the files that the repository keeps, as they are here: those of git, without it all that are no leftovers."""
    git = shutil.which("git") if (root / ".git").exists() else None
    if git:
        told = subprocess.run([git, "-C", str(root), "ls-files", "-z"], capture_output=True, text=True, check=True)
        return sorted(name for name in told.stdout.split("\0") if name and (root / name).is_file())
    found = (path for folder in (*PACKAGES, DASHBOARDS[0]) for path in (root / folder).rglob("*"))
    kept = (path for path in found if path.is_file() and "__pycache__" not in path.parts)
    beside = (root / name for name in BESIDE)
    return sorted(str(path.relative_to(root)) for path in (*kept, *beside) if path.is_file())


def copy(names: Sequence[str], into: Path, *, umask: int, root: Path = ROOT) -> Path:
    """Copy files as a checkout under this umask would have them, with the times of now."""
    for name in names:
        made = into / name
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes((root / name).read_bytes())
        made.chmod(0o666 & ~umask)
    return into


def meant_for_wheel(names: Sequence[str]) -> set[str]:
    """Name what a wheel must hold of these files, beside its own metadata."""
    packages = {name.split("/", 1)[1] for name in names if name.startswith(tuple(f"{each}/" for each in PACKAGES))}
    here, there = DASHBOARDS
    return packages | {name.replace(here, there, 1) for name in names if name.startswith(f"{here}/")}


def meant_for_sdist(names: Sequence[str]) -> set[str]:
    """Name what an sdist must hold of these files, and what hatchling adds."""
    folders = tuple(f"{each}/" for each in (*PACKAGES, DASHBOARDS[0]))
    return {name for name in names if name.startswith(folders)} | set(BESIDE)


def contents(archive: Path) -> Mapping[str, bytes]:
    """Read every file of a wheel, or of an sdist without its outermost folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    with tarfile.open(archive) as opened_tar:
        read = ((each.name, opened_tar.extractfile(each)) for each in opened_tar.getmembers() if each.isfile())
        return {name.split("/", 1)[1]: held.read() for name, held in read if held is not None}

"""Builds wheel and sdist of a tree as `make dist` does, and says what is in them."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
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
# What the wheel takes from elsewhere in the repository: its place here, and in the wheel.
FORCED: Final[Mapping[str, str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "hatch"
]["build"]["targets"]["wheel"]["force-include"]
# The sdist is the packages, what is forced into the wheel, and these; hatchling adds the last two.
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


def git(*words: str) -> bytes:
    """Ask the repository; gives what git printed.

    Raises:
        RuntimeError: git is not here, this is no checkout, or it has no answer.
    """
    found = shutil.which("git") if (ROOT / ".git").exists() else None
    if found is None:
        raise RuntimeError("expected git and a checkout with its history")
    done = subprocess.run([found, "-C", str(ROOT), *words], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {words[0]}: {done.stderr.decode().strip()}")
    return done.stdout


def epoch() -> int:
    """Say when the last commit was made, in seconds since 1970: what `make dist` gives to files in archives."""
    return int(git("log", "-1", "--format=%ct"))


def unpack(archive: Path, into: Path) -> Path:
    """Write every file of a wheel or sdist below a folder."""
    for name, held in contents(archive).items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_bytes(held)
    return into


def tracked() -> list[str]:
    """Name the files that the repository keeps, as they are here: those of git, without it all that are no leftovers."""
    root = ROOT
    if (root / ".git").exists() and shutil.which("git"):
        return sorted(name for name in git("ls-files", "-z").decode().split("\0") if name and (root / name).is_file())
    found = (path for folder in (*PACKAGES, *FORCED) for path in (root / folder).rglob("*"))
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
    forced = {
        name.replace(here, there, 1) for here, there in FORCED.items() for name in names if name.startswith(f"{here}/")
    }
    return packages | forced


def meant_for_sdist(names: Sequence[str]) -> set[str]:
    """Name what an sdist must hold of these files, and what hatchling adds."""
    folders = tuple(f"{each}/" for each in (*PACKAGES, *FORCED))
    return {name for name in names if name.startswith(folders)} | set(BESIDE)


def contents(archive: Path) -> Mapping[str, bytes]:
    """Read every file of a wheel, or of an sdist without its outermost folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    with tarfile.open(archive) as opened_tar:
        read = ((each.name, opened_tar.extractfile(each)) for each in opened_tar.getmembers() if each.isfile())
        return {name.split("/", 1)[1]: held.read() for name, held in read if held is not None}

"""A virtual environment with nothing but the wheel and what it asks for, and a page of the documents run in it."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.docs import pages
from tests.docs.lived_in import put

from _release.building import ROOT
from _release.older import Version

_RUNNER: Final = ROOT / "tests" / "docs" / "run_page.py"
_IMPORTS: Final = "import json, sys; print(json.dumps([each for each in sys.path if each]))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """One environment, and what making it took."""

    python: Path
    home: Path
    packages: int
    mb: float  # beside pip, without compiled caches
    seconds: float

    def environment(self) -> dict[str, str]:
        """What its user finds: its commands, an empty home, nothing of the checkout."""
        kept = {name: said for name, said in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG", "LC_"))}
        return {
            **kept,
            "PATH": f"{self.python.parent}{os.pathsep}/usr/local/bin{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": str(self.home),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def install(python: str, wheel: Path, folder: Path, *, extra: str = "", locked: bool = True) -> Fresh:
    """Make an environment and install the wheel with its dependencies.

    Args:
        python: The interpreter.
        wheel: What was built.
        folder: An empty folder: the environment and a home.
        extra: `server`, or empty for the SDK alone.
        locked: Versions and hashes of constraints.txt; else whatever pip resolves today.
    """
    began = time.monotonic()
    home = folder / "home"
    home.mkdir(parents=True)
    subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True)
    made = Fresh(python=folder / "venv" / "bin" / "python", home=home, packages=0, mb=0, seconds=0)
    before = _mb(folder / "venv")
    pip = [str(made.python), "-m", "pip", "--disable-pip-version-check"]
    wanted = f"tocsin{f'[{extra}]' if extra else ''} @ {wheel.as_uri()}"
    if locked:
        _pip(
            made,
            [*pip, "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(_lock(made, wheel, wanted, pip))],
        )
    else:
        _pip(made, [*pip, "install", "--quiet", wanted])
    listed = subprocess.run(
        [*pip, "list", "--format=json"], env=made.environment(), capture_output=True, text=True, check=True
    )
    return dataclasses.replace(
        made,
        packages=sum(each["name"] not in {"pip", "setuptools"} for each in json.loads(listed.stdout)),
        mb=_mb(folder / "venv") - before,
        seconds=time.monotonic() - began,
    )


def _lock(made: Fresh, wheel: Path, wanted: str, pip: Sequence[str]) -> Path:
    """Write what is to be installed with its hashes: of the lock those packages that pip says are needed."""
    locked = dict(_locked())
    pins = made.home / "pins.txt"
    pins.write_text("\n".join(block.splitlines()[0].removesuffix("\\") for block in locked.values()))
    report = _pip(made, [*pip, "install", "--quiet", "--dry-run", "--report", "-", "-c", str(pins), wanted])
    names = {re.sub(r"[-_.]+", "-", each["metadata"]["name"].lower()) for each in json.loads(report)["install"]}
    asked = made.home / "requirements.txt"
    proof = hashlib.sha256(wheel.read_bytes()).hexdigest()
    blocks = [locked[name] for name in sorted(names - {"tocsin"})]
    asked.write_text("\n".join([*blocks, f"{wanted.replace('[server]', '')} --hash=sha256:{proof}"]))
    return asked


def _locked() -> Iterator[tuple[str, str]]:
    """Read constraints.txt: each package's name, and its lines."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        if found := re.match(r"([A-Za-z0-9._-]+)==", block):
            yield found[1].lower(), block


def _pip(made: Fresh, words: Sequence[str]) -> str:
    done = subprocess.run(words, env=made.environment(), cwd=made.home, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip failed: {done.stderr[-2000:]}")
    return done.stdout


def leads_back(fresh: Fresh) -> list[str]:
    """List what on its path lies in the checkout: nothing must."""
    done = subprocess.run(
        [fresh.python, "-c", _IMPORTS],
        env=fresh.environment(),
        cwd=fresh.home,
        capture_output=True,
        text=True,
        check=True,
    )
    return [each for each in json.loads(done.stdout) if Path(each).resolve().is_relative_to(ROOT)]


def run_page(
    page: Path, fresh: Fresh, folder: Path, addresses: Mapping[str, str], words: Mapping[str, str] | None = None
) -> int:
    """Run the blocks of a page in an empty folder, against a `tocsin up` that runs and with what is installed; give how many ran.

    Args:
        page: What is read.
        fresh: In whose environment.
        folder: An empty one.
        addresses: Variables that say where the `up` is.
        words: What words of the page stand for there.

    Raises:
        RuntimeError: a block failed; its line and what it said are in the message.
    """
    folder.mkdir(parents=True)
    for needed in _RUNNER, _RUNNER.with_name("forked.py"):
        shutil.copy(needed, folder.parent / needed.name)
    read = [block for block in pages.read(page).blocks if not re.match(r"tocsin up\b|pip install\b", block.text)]
    blocks = [dataclasses.replace(block, text=put(words or {}, block.text)) for block in read]
    done = subprocess.run(
        [fresh.python, folder.parent / _RUNNER.name],
        input=json.dumps({"path": str(page), "blocks": [dataclasses.asdict(block) for block in blocks]}),
        cwd=folder,
        env=fresh.environment() | dict(addresses),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode or "Traceback" in done.stderr or "tocsin swallowed" in done.stderr:
        raise RuntimeError(f"{page.name}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return len(blocks)


def as_version(fresh: Fresh, name: str) -> Version:
    """Take the environment for a version that runs `up` and scripts."""
    return Version(name=name, python=fresh.python)


def quick_start() -> Sequence[Path]:
    """Name the pages that somebody begins with."""
    named = (ROOT / "docs" / "quickstart.md", ROOT / "deploy" / "description.md")
    return [page for page in named if page.exists()]


def _mb(folder: Path) -> float:
    files = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return sum(file.stat().st_size for file in files) / 1e6

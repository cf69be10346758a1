"""Commands that pages show and that would install or build for minutes: is what they name there? Run as `stand_ins.py pip …`."""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pip(words: list[str]) -> None:
    """Refuse what could not be installed: an extra that tocsin has not, a package that nobody here has heard of."""
    if words[:1] != ["install"]:
        raise SystemExit(f"expected pip install, got {words}")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    for word in words[1:]:
        name, named = re.fullmatch(r"([\w.-]+)(?:\[([\w,-]+)\])?(?:[<>=~!].*)?|-.*", word).groups()  # type: ignore[union-attr]
        if name is None:
            continue
        if name == "tocsin":
            unknown = [extra for extra in (named or "").split(",") if extra and extra not in extras]
            if unknown:
                raise SystemExit(f"tocsin has no extra {unknown}: it has {sorted(extras)}")
        elif name.lower().replace("_", "-") not in locked and not _is_known(name):
            raise SystemExit(f"{name} is neither locked nor installed here")


def make(words: list[str]) -> None:
    """Refuse a target that the Makefile has not."""
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    asked = [word for word in words if "=" not in word]
    if not asked or not set(asked) <= targets:
        raise SystemExit(f"make has no target {sorted(set(asked) - targets)}: it has {sorted(targets)}")


def _is_known(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    {"pip": pip, "make": make}[sys.argv[1]](sys.argv[2:])

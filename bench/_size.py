"""How much the base install weighs: what it requires, and what that requires in turn."""

import re
from importlib import metadata
from pathlib import Path

from _report import Figure

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def install_figures() -> list[Figure]:
    """Add up the files of tocsin and of every package that it requires without an extra; compiled caches left out."""
    closure = requirements("tocsin")
    own = sum(
        _size(file)
        for package in ("tocsin", "tocsin_wire", "tocsin_collector", "tocsin_alerts", "tocsin_console")
        for file in _package(package)
    )
    total = own + sum(_distribution_size(name) for name in closure)
    return [
        Figure(name="base_install_mb", value=round(total / 1e6, 1), unit="MB", goal="<= 50"),
        Figure(name="base_install_packages", value=len(closure) + 1, unit="packages"),
    ]


def requirements(name: str) -> set[str]:
    """Name everything that a package requires, extras aside, as installed here."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for requirement in metadata.requires(waiting.pop()) or ():
            asked, _, marker = requirement.partition(";")
            match = _NAME.match(asked)
            known = match.group().lower().replace("_", "-") if match else ""
            if known and known not in found and "extra" not in marker and _is_installed(known):
                found.add(known)
                waiting.append(known)
    return found


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False  # its marker speaks of another Python or system
    return True


def _distribution_size(name: str) -> int:
    return sum(_size(Path(str(file.locate()))) for file in metadata.files(name) or ())


def _package(name: str) -> list[Path]:
    import importlib.util

    spec = importlib.util.find_spec(name)
    return [
        file for folder in (spec.submodule_search_locations or () if spec else ()) for file in Path(folder).rglob("*")
    ]


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() and "__pycache__" not in file.parts else 0

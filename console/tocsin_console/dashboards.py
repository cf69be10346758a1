"""The Grafana dashboards that are shipped: in a checkout they lie in ``deploy/``, in a wheel beside this module."""

from collections.abc import Iterator
from pathlib import Path

from tocsin_console.errors import UsageProblem

_PLACES = (Path(__file__).parent / "grafana", Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards")


def shipped() -> dict[str, str]:
    """Give their JSON by file name.

    Raises:
        UsageProblem: this installation has none.
    """
    for place in _PLACES:
        if found := {file.name: file.read_text(encoding="utf-8") for file in sorted(place.glob("*.json"))}:
            return found
    raise UsageProblem("expected the dashboards beside this installation, found none: install tocsin[server] anew")


def export(folder: Path, *, replace: bool) -> Iterator[Path]:
    """Write them into a folder, from which Grafana's provisioning reads them.

    Raises:
        UsageProblem: a file is there already and somebody changed it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in shipped().items():
        file = folder / name
        if file.exists() and file.read_text(encoding="utf-8") != text and not replace:
            raise UsageProblem(f"expected no other {file}, found one that differs: give --replace, or another folder")
        file.write_text(text, encoding="utf-8")
        yield file

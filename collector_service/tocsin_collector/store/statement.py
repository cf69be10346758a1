"""Statements that ship as files of SQL."""

from importlib import resources


def statement(name: str) -> str:
    """Read one of the folder `statements`, without its comments."""
    text = resources.files("tocsin_collector").joinpath("statements", f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))

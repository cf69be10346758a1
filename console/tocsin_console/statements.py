"""The console's own SQL, read from its files."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """Give the text of ``sql/NAME.sql``."""
    return resources.files("tocsin_console").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")

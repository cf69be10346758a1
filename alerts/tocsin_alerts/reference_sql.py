"""The statements about references, read from their files."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """Give the text of ``references/NAME.sql``."""
    return resources.files("tocsin_alerts").joinpath("references", f"{name}.sql").read_text(encoding="utf-8")

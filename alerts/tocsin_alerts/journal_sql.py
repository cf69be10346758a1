"""The statements about alerts, silences and acknowledgements, read from their files."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """Give the text of ``journal/NAME.sql``."""
    return resources.files("tocsin_alerts").joinpath("journal", f"{name}.sql").read_text(encoding="utf-8")

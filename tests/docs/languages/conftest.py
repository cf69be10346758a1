"""Where programs of other languages send to: a real collector."""

from tests.collector.conftest import run

__all__ = ["run"]

"""pytest fixtures for hosts; in a ``conftest.py``: ``pytest_plugins = ["tocsin.pytest_plugin"]``.

No entry point: a plugin that loads by itself would load in every test run of everybody who has tocsin installed.
"""

from collections.abc import Iterator

import pytest

from tocsin.testing import Captured, capture

__all__ = ["tocsin_calls"]


@pytest.fixture
def tocsin_calls() -> Iterator[Captured]:
    """Hold the AI calls and outcomes of this test, of no other."""
    with capture() as calls:
        yield calls

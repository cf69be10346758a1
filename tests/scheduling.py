"""Which worker gets what, and when: files as a whole, the longest first, so that no worker is left with them at the end."""

from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# Files of few tests and much work, the longest first: by their number of tests they would come last.
LONG = (
    "tests/collector/test_cluster.py",
    "tests/end_to_end/test_closed_loop.py",
    "tests/collector/test_settling.py",
    "tests/docs/test_code_blocks.py",
    "tests/genai/test_families.py",
    "tests/collector/test_versions.py",
    "tests/alerts/evaluators/test_judges.py",
    "tests/security/test_up.py",
    "tests/instrumentation/test_recycling.py",
    "tests/alerts/engine/test_crash.py",
    "tests/alerts/engine/test_shipped.py",
    "tests/console/test_roles.py",
    "tests/end_to_end/test_retraining.py",
    "tests/console/test_drill.py",
    "tests/alerts/evaluators/test_neighbours.py",
)
# Each of these tests starts processes of its own and shares nothing with its neighbours: a worker takes one, not the file.
APART = ("tests/faults/test_short.py",)


class LongestFirst(LoadFileScheduling):  # type: ignore[misc]  # xdist is untyped
    """Hands out files in the order in which they were collected, and some of them test by test."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        """Name what is kept together."""
        return nodeid if nodeid.startswith(APART) else str(super()._split_scope(nodeid))


def put_longest_first(items: list[pytest.Item]) -> None:
    """Put what takes long before the rest, and of the rest files of many tests first; within files the order stays."""
    files = {item: item.nodeid.partition("::")[0] for item in items}
    sizes = Counter(files.values())
    places = {file: number for number, file in enumerate((*LONG, *APART))}
    items.sort(key=lambda item: (places.get(files[item], len(places)), -sizes[files[item]], files[item]))

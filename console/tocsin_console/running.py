"""The note in a data folder by which other commands find the process that runs there."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any


def write_run_file(path: Path, facts: dict[str, Any]) -> None:
    """Say to other commands on which addresses this process listens."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    draft.replace(path)


def read_run_file(path: Path) -> dict[str, Any]:
    """Read what a running process said; empty when none has, or its words are damaged."""
    with suppress(OSError, ValueError):
        facts = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(facts, dict):
            return facts
    return {}

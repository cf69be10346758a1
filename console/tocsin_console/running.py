"""The note in a data folder by which other commands find the process that runs there."""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any


def write_run_file(path: Path, facts: dict[str, Any]) -> None:
    """Say to other commands on which addresses this process listens."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    draft.replace(path)


def owner_secret(path: Path) -> str:
    """Give the secret of the folder, made anew for each start: who can read it owns what runs here."""
    made = secrets.token_urlsafe(32)
    draft = path.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(made)
    draft.replace(path)
    return made


def read_run_file(path: Path) -> dict[str, Any]:
    """Read what a running process said; empty when none has, or its words are damaged."""
    with suppress(OSError, ValueError):
        facts = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(facts, dict):
            return facts
    return {}

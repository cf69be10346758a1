"""Every code block of the documentation runs, as a reader would paste it."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.docs import pages
from tests.docs.lived_in import put

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).with_name("run_page.py")
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
RUN = [path for path in PAGES if pages.read(path).blocks]

# Pages that show fragments, and the names that these take from the reader's own code.
FRAGMENTS = {
    "README.md": """
import numpy as np
import tocsin
from sklearn.linear_model import LogisticRegression
x = np.array([[0.0], [1.0]])
model = LogisticRegression().fit(x, ["hardware", "billing"])
with tocsin.observe("ticket-triage") as call:
    call.set_output(label="billing")
handle = call.handle
"""
}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_runs_or_says_why_not(path: Path) -> None:
    """A block that nobody runs is wrong within a year, and the reader finds out."""
    page = pages.read(path)

    told = [(left.line, left.language) for left in page.left if not (left.reason or left.tested_by)]
    tests = {left.tested_by for left in page.left if left.tested_by}

    assert told == [], f"{path.name}: blocks that nothing runs; name a language that runs, or say why not"
    assert page.indented == (), f"{path.name}: code blocks without a language; fence them"
    for said in tests:
        files = [ROOT / name for name in re.findall(r"[\w/]+\.py", said)]
        assert [file for file in files if not file.is_file()] == []
        programs = [file.read_text(encoding="utf-8") for file in files]
        names = (path.name, f'"{path.parent.name}"', f"/{path.parent.name}")  # a test may read a folder of pages
        assert any(name in text for text in programs for name in names), f"{said} does not read {path.name}"


@pytest.mark.parametrize("path", RUN, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_blocks_of_a_page_run(
    path: Path, tmp_path: Path, collector: Any, guard_server: Any, surroundings: Callable[..., dict[str, str]]
) -> None:
    """A reader pastes them in order; what a page says arrives has arrived."""
    page = pages.read(path, before=FRAGMENTS.get(path.name, ""))
    if page.missing:
        pytest.skip(f"{path.name} needs {', '.join(page.missing)}, which is not installed here")
    environment, words = surroundings(page, collector=collector, guard_server=guard_server)
    blocks = [dataclasses.asdict(block) | {"text": put(words, block.text)} for block in page.blocks]

    done = subprocess.run(
        [sys.executable, RUNNER],
        input=json.dumps({"path": str(path), "blocks": blocks}),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert "tocsin swallowed" not in done.stderr, done.stderr
    arrived = Counter(said["tocsin.use_case"] for said in collector.attributes() if "tocsin.use_case" in said)
    assert {name: arrived[name] for name in page.calls} == page.calls, arrived


def test_a_page_that_fails_names_its_line(tmp_path: Path) -> None:
    """Whoever broke it should not have to count."""
    page = tmp_path / "page.md"
    page.write_text("# Title\n\nText.\n\n```python\nfine = 1\nbroken()\n```\n")
    read = pages.read(page)

    done = subprocess.run(
        [sys.executable, RUNNER],
        input=json.dumps({"path": str(page), "blocks": [dataclasses.asdict(block) for block in read.blocks]}),
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert f'File "{page}", line 7' in done.stderr


def test_a_page_says_what_to_run_and_what_not(tmp_path: Path) -> None:
    """The comments are the harness's whole language."""
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- needs: json, no_such_module -->\n<!-- servers: openai -->\n<!-- calls: triage 2, other 1 -->\n"
        "```python\n# service.py\nimport tocsin\n```\n"
        "```bash\npip install tocsin\nOTEL_SERVICE_NAME=shop tocsin run -- \\\n  python service.py\n```\n"
        "<!-- not run: takes a cluster -->\n```python\nraise SystemExit\n```\n"
        "<!-- tested by: tests/x.py -->\n```yaml\na: 1\n```\n"
        "<!-- before: x = 1 -->\n```python\nassert x == 1\n```\n"
        "<!-- exits: 1 -->\n```console\n$ tocsin doctor\nFINDING\n```\n"
        "```text\nnothing\n```\n\n    tocsin status\n\n```yaml\nb: 2\n```\n"
    )

    read = pages.read(page)

    assert [(block.kind, block.text.strip(), block.exits) for block in read.blocks] == [
        ("file", "# service.py\nimport tocsin", 0),
        ("command", "pip install tocsin", 0),
        ("command", "OTEL_SERVICE_NAME=shop tocsin run --    python service.py", 0),
        ("python", "x = 1", 0),
        ("python", "assert x == 1", 0),
        ("command", "tocsin doctor", 1),
    ]
    assert read.blocks[0].file == "service.py"
    assert [(left.language, left.reason, left.tested_by) for left in read.left] == [
        ("python", "takes a cluster", ""),
        ("yaml", "", "tests/x.py"),
        ("yaml", "", ""),
    ]
    assert len(read.indented) == 1
    assert read.missing == ("no_such_module",)
    assert (read.servers, read.calls, read.collector) == (("openai",), {"triage": 2, "other": 1}, "otlp")

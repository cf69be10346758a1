"""The pages about losing nodes, as something to run: their commands, against the cluster of a test."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.docs.fences import fences
from typer.testing import CliRunner

from tocsin_collector.store.store_address import StoreAddress
from tocsin_console.cli.app import build

Verb = Callable[..., Any]


def commands(page: str, test: str) -> Iterator[list[str]]:
    """Give the page's commands that are marked as run by this test, in order, without `tocsin`."""
    for text in fences(f"operations/{page}", "bash", tested_by=test):
        for line in text.splitlines():
            if line.startswith("tocsin "):
                yield shlex.split(line)[1:]


def verbs(address: StoreAddress, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """Make what runs a command of `tocsin` over a store, answering with its JSON; a code other than wanted fails the test."""
    store = {"url": list(address.urls), "cluster": address.cluster, "database": address.database}
    (folder / "tocsin.yaml").write_text(yaml.safe_dump({"store": store}), encoding="utf-8")
    monkeypatch.chdir(folder)
    app = build()

    def run(words: list[str], code: int = 0) -> Any:
        done = CliRunner().invoke(app, [*words, "--json"])
        assert done.exit_code == code, (words, done.exit_code, done.stdout, done.exception)
        return json.loads(done.stdout)

    return run

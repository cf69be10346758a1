"""Where a page runs: a collector and a guard of its own, and local servers in place of providers."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.docs.lived_in import addresses, lived_in
from tests.docs.lived_in import words as words_of
from tests.docs.pages import Page
from tests.instrumentation.conftest import collector, guard_server

__all__ = ["collector", "guard_server"]

STAND_INS = Path(__file__).with_name("stand_ins.py")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Any]]:
    """A `tocsin up` that has been lived in, made when the first page asks for it, and shared by all that do."""
    with ExitStack() as started:
        made: list[Any] = []

        def ask() -> Any:
            if not made:
                made.append(started.enter_context(lived_in(tmp_path_factory.mktemp("house"))))
            return made[0]

        yield ask


@pytest.fixture
def surroundings(
    tmp_path_factory: pytest.TempPathFactory, house: Callable[[], Any]
) -> Iterator[Callable[..., tuple[dict[str, str], dict[str, str]]]]:
    """Make the environment of one page, and what its words stand for here; everything it starts ends with the test."""
    with ExitStack() as started:

        def make(page: Page, *, collector: Any, guard_server: Any) -> tuple[dict[str, str], dict[str, str]]:
            own = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOCSIN_"))}
            commands = tmp_path_factory.mktemp("bin")
            _put_commands(commands)
            own |= {
                "PATH": f"{commands}{os.pathsep}{own.get('PATH', '')}",
                "PYTHONDONTWRITEBYTECODE": "1",
                "HF_HUB_OFFLINE": "1",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
                "TOCSIN_GUARD_ENDPOINT": guard_server.endpoint,
            }
            words: dict[str, str] = {}
            if page.collector == "up":
                own, words = own | _variables(up := _up(started, tmp_path_factory.mktemp("up"))), addresses(up.facts)
            elif page.collector == "lived-in":  # is asked; what pages record themselves would be part of its history
                asked = _variables(up := house())
                own |= {name: value for name, value in asked.items() if not name.startswith("OTEL_")}
                words = words_of(up.facts)
            for provider in page.servers:
                own |= _provider(started, provider)
            return own, words

        yield make


def _put_commands(folder: Path) -> None:
    """Make the commands that pages call those of this interpreter."""
    words = {
        "tocsin": "from tocsin_console.__main__ import main; sys.exit(main())",
        "opentelemetry-instrument": "from opentelemetry.instrumentation.auto_instrumentation import run; sys.exit(run())",
    }
    for name, code in words.items():
        _put(folder / name, f"#!{sys.executable}\nimport sys\nsys.argv[0] = {name!r}\n{code}\n")
    for name in ("python", "python3"):  # a symlink would lose the virtual environment
        _put(folder / name, f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for name in ("pip", "make"):
        _put(folder / name, f'#!/bin/sh\nexec {sys.executable} {STAND_INS} {name} "$@"\n')


def _put(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


def _up(started: ExitStack, folder: Path) -> Any:
    """Start a real `tocsin up` on ports that the system picks."""
    from tests.end_to_end.conftest import running

    return started.enter_context(running(folder))


def _variables(up: Any) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{up.facts['grpc']}",
        "TOCSIN_GUARD_ENDPOINT": up.facts["guard"],
        "TOCSIN_API_ADDRESS": up.facts["api"],
        "TOCSIN_DATA_DIR": str(up.folder / "data"),
    }


def _provider(started: ExitStack, name: str) -> dict[str, str]:
    """Start a local server that speaks a provider's HTTP API, and say how its client finds it."""
    from tests.genai import servers

    variables: dict[str, str] = started.enter_context(servers.running(name))
    return variables

"""The Dockerfile, what it takes from the lock and from the checkout, and the contract that Compose and Kubernetes rely on.

What its instructions do is executed by bench/image.py, whose figures are committed; here is what can be held together in a second.
"""

import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path

import pytest
import trustme
from bench._image.context import Context
from bench._image.dockerfile import Dockerfile, read
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.docs.fences import fences

from tocsin_console.composition import Up
from tocsin_console.config import Config, Flags, resolve
from tocsin_console.errors import UsageProblem
from tocsin_console.roles import LISTENS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "container"
FILE = read(FOLDER / "Dockerfile")
IMAGES = ("tocsin", "example")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_PINNED = "debian:bookworm-20260824-slim@sha256:"


def holds(stage: str, word: str) -> str:
    """Give the text of the instruction that holds for a stage."""
    found = FILE.last(stage, word)
    assert found is not None, f"{stage} has no {word}"
    return found.text


def own(extra: str) -> list[str]:
    """Give what pyproject.toml asks for; what is installed editable may say it of another day."""
    said = PROJECT["project"]
    return list(said["optional-dependencies"][extra] if extra else said["dependencies"])


def closure(*named: str) -> set[str]:
    """Name a distribution's requirements and theirs, as they are on the image: CPython 3.11 on Linux."""
    here = {"python_version": "3.11", "python_full_version": "3.11.2", "sys_platform": "linux", "os_name": "posix"}
    found: set[tuple[str, str]] = set()
    waiting = [
        (canonicalize_name(each.name), extra) for each in map(Requirement, named) for extra in ("", *each.extras)
    ]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for text in own(extra) if name == "tocsin" else metadata.requires(name) or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({**here, "extra": extra}):
                waiting += [(canonicalize_name(needed.name), more) for more in ("", *needed.extras)]
    return {name for name, _ in found}


def default_config() -> Config:
    """Read the image's own tocsin.yaml with its own environment, as the command in it does."""
    environment = FILE.environment("tocsin", {}) | {"TOCSIN_CONFIG": str(FOLDER / "tocsin.yaml")}
    return resolve(Flags(), environment=environment, cwd=Path(holds("tocsin", "WORKDIR")))


def test_the_linter_finds_nothing_and_nothing_is_excused() -> None:
    """An ignored finding is one that nobody reads again."""
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("needs hadolint, which its package has for Linux on x86-64 alone")

    said = subprocess.run([linter, "--no-color", FOLDER / "Dockerfile"], capture_output=True, text=True, check=False)

    assert said.stdout == ""
    assert said.returncode == 0
    assert "hadolint ignore" not in (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert not list(ROOT.glob(".hadolint.y*ml"))


@pytest.mark.parametrize(
    ("list_name", "named"),
    [("server", ("tocsin[server,charts]",)), ("sdk", ("tocsin",)), ("build", PROJECT["build-system"]["requires"])],
)
def test_a_stage_takes_of_the_lock_what_it_needs_and_nothing_else(list_name: str, named: tuple[str, ...]) -> None:
    """A test's or a browser's driver in the image is somebody's next finding; a missing one fails the build."""
    listed = set((FOLDER / f"{list_name}.txt").read_text(encoding="utf-8").split())
    lock = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert listed == closure(*named) - {"tocsin"}
    assert listed <= {line.partition("==")[0] for line in lock}


def test_the_base_is_pinned_and_what_is_installed_names_its_versions() -> None:
    """The same file has to give the same image next month."""
    bases = [stage.parent for stage in FILE.stages.values() if stage.parent not in FILE.stages]
    commands = [each.text for stage in FILE.stages.values() for each in stage.instructions if each.word == "RUN"]
    fetched = [part for text in commands for part in text.split("&&") if " install " in part and "pip" in part]

    assert len(set(bases)) == 1
    assert bases[0].startswith(_PINNED)
    assert len(bases[0]) == len(_PINNED) + 64
    assert all("--require-hashes" in part or "--no-deps dist/" in part for part in fetched)
    assert len(fetched) == 5


@pytest.mark.parametrize("stage", IMAGES)
def test_an_image_runs_as_nobody_in_exec_form(stage: str) -> None:
    """A shell as PID 1 swallows SIGTERM, and what waits would be cut off."""
    assert holds(stage, "USER") == "10001:10001"
    assert isinstance(json.loads(holds(stage, "ENTRYPOINT")), list)
    assert isinstance(json.loads(holds(stage, "CMD")), list)


def test_the_contract_of_the_image() -> None:
    """Compose and the Helm chart name these."""
    environment = FILE.environment("tocsin", {})

    assert json.loads(holds("tocsin", "ENTRYPOINT")) == ["tocsin"]
    assert json.loads(holds("tocsin", "CMD")) == ["up"]
    assert json.loads(holds("tocsin", "VOLUME")) == [environment["TOCSIN_DATA_DIR"]] == ["/var/lib/tocsin"]
    assert environment["TOCSIN_CONFIG"] == "/etc/tocsin/tocsin.yaml"
    assert environment["PATH"].startswith("/opt/tocsin/bin:")


def test_the_default_configuration_listens_where_the_image_says_and_is_refused_until_somebody_decides() -> None:
    """Nothing may be open to a network because nobody thought of it."""
    config = default_config()
    addresses = [getattr(config, what) for what in (*LISTENS["up"], "clickhouse_http")]

    assert sorted({each.port for each in addresses}) == sorted(map(int, holds("tocsin", "EXPOSE").split()))
    assert not any(each.is_loopback for each in addresses)
    assert not config.insecure
    assert str(config.data_dir) == "/var/lib/tocsin"


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Serve one answer for every path on a port of the system's choice."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path in {"/readyz", "/healthz"} else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("stage", "port"), [("tocsin", default_config().api.port), ("example", 8000)])
def test_the_health_check_asks_the_port_of_its_image_and_can_fail(stage: str, port: int) -> None:
    """One that always passes lets services send to what is not ready."""
    _, *arguments = json.loads(holds(stage, "HEALTHCHECK").removeprefix("CMD").strip())

    def asks(actual: int) -> int:
        words = [word.replace(str(port), str(actual)) for word in arguments]
        assert words != arguments, f"expected the check to ask port {port}"
        return subprocess.run([sys.executable, *words], capture_output=True, check=False).returncode

    with answering(200) as ready:
        assert asks(ready) == 0
    with answering(503) as waiting:
        assert asks(waiting) != 0
    assert asks(waiting) != 0  # nobody listens there any more


def test_the_builder_is_given_what_the_wheel_is_made_of_and_no_more() -> None:
    """A forgotten folder fails the build on somebody else's machine; a secret in the checkout must not travel."""
    context = Context.of(ROOT)
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [
        *wheel["packages"],
        *wheel["force-include"],
        PROJECT["project"]["readme"],
        *PROJECT["project"]["license-files"],
    ]
    copied = [
        source
        for stage in FILE.stages.values()
        for each in stage.instructions
        if each.word == "COPY" and "from" not in each.flags
        for source in each.words({})[:-1]
    ]

    assert [each for each in needed if not any(Path(each).is_relative_to(source) for source in copied)] == []
    assert [each for each in copied if not list(context.files(each))] == []
    assert not any(context.has(each) for each in (".git", "tests", "bench", "docs/index.md", ".venv", "tocsin.yaml"))
    assert not context.has("proto/tocsin_wire/__pycache__")


def test_the_committed_rehearsal_met_its_goals() -> None:
    """The figures that the page quotes are of a run that built, started, sent, read back and ended."""
    said = json.loads((ROOT / "bench" / "results" / "image.json").read_text(encoding="utf-8"))
    figures = {each["name"]: each for each in said["figures"]}

    assert [name for name, each in figures.items() if each["met"] is False] == []
    assert figures["files_changed"]["met"]


def test_what_the_page_says_before_others_are_let_in_is_enough_and_no_line_too_much(tmp_path: Path) -> None:
    """Somebody copies it; a listener that it leaves open to a network would be ours."""
    [shown] = fences("deploy/container.md", "yaml", tested_by=__file__)
    text = re.sub(r"0\.0\.0\.0:\d+", "0.0.0.0:0", shown)
    (tmp_path / "tls").mkdir()
    made = trustme.CA().issue_cert("tocsin.internal")
    made.cert_chain_pems[0].write_to_path(tmp_path / "tls" / "server.pem")
    made.private_key_pem.write_to_path(tmp_path / "tls" / "server.key")

    def checked(written: str) -> None:
        (tmp_path / "tocsin.yaml").write_text(written, encoding="utf-8")
        Up(resolve(Flags(config=tmp_path / "tocsin.yaml"), environment={}, cwd=tmp_path))._check()

    checked(text)
    for line in (r"tls:\n.*\n.*\n", r"ingest_keys: .*\n", r"access: .*\n"):
        less, count = re.subn(line, "", text)
        assert count == 1
        with pytest.raises(UsageProblem, match="expected a loopback address"):
            checked(less)


def test_a_dockerfile_with_something_unknown_is_not_half_understood(tmp_path: Path) -> None:
    """The rehearsal must not pass by skipping what it does not know."""
    shutil.copy(FOLDER / "Dockerfile", tmp_path)
    with (tmp_path / "Dockerfile").open("a", encoding="utf-8") as file:
        file.write("ONBUILD RUN true\n")

    with pytest.raises(ValueError, match="ONBUILD"):
        read(tmp_path / "Dockerfile")
    assert isinstance(FILE, Dockerfile)

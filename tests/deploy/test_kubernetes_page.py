"""The pages about Kubernetes against the chart: its values, its secrets, and every command that a reader pastes."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from bench._chart import CHART, ROOT, Rendered, containers, helm
from tests.deploy.chart import EXAMPLES, NAMESPACE, RELEASE, binary, example, refusal, values_of
from tests.docs.pages import shown

from generating.chart import values

PAGE: Final = ROOT / "docs" / "deploy" / "kubernetes.md"


@pytest.fixture(params=EXAMPLES)
def objects(request: pytest.FixtureRequest) -> Rendered:
    """All that one set of example values makes."""
    return example(request.param)


def test_secrets_are_named_and_never_contained(objects: Rendered) -> None:
    """The chart makes no Secret, and each that it names is one that the page tells to make."""
    page = PAGE.read_text(encoding="utf-8")
    named = [path for path, _, _ in values() if path.endswith(("existingSecret", "tlsSecret")) or path == "secretEnv"]

    assert objects.kind("Secret") == []
    assert [path for path in named if f"`{path}`" not in page.partition("## Secrets")[2].partition("\n## ")[0]] == []
    for pod in objects.pods().values():
        literal = {
            each["name"] for container in containers(pod) for each in container.get("env", ()) if "value" in each
        }
        assert literal <= {"TOCSIN_CONFIG", "TOCSIN_DATA_DIR", "HOME"}


def test_every_value_is_described_and_every_description_has_a_value() -> None:
    """values.yaml and its schema are two lists of the same names."""

    def names(values: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
        if not isinstance(values, dict) or "properties" not in schema:
            return
        for name in values.keys() ^ (schema["properties"].keys() - {"global"}):
            yield f"{path}{name}"
        for name, said in schema["properties"].items():
            if path.startswith("networkPolicy"):
                continue
            yield from names(values.get(name), said, f"{path}{name}.")

    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))

    differ = [name for name in names(values, schema) if not name.endswith((".cpu", ".ephemeral-storage"))]
    assert differ == []


def _commands(page: Path) -> list[str]:
    blocks = [block.text for block in shown(f"deploy/{page.name}", tested_by=__file__)]
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def _helm_commands() -> list[str]:
    pages = (PAGE, PAGE.with_name("topologies.md"))
    return [line for page in pages for line in _commands(page) if line.startswith("helm ")]


@pytest.mark.parametrize("command", _helm_commands())
def test_the_pages_commands_render(command: str, tmp_path: Path) -> None:
    """Each line that a reader pastes, against the same chart and the values files that the page writes."""
    for name, text in _files():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "use_cases").mkdir()
    (tmp_path / "use_cases" / "ticket-triage.yaml").write_text("use_case: ticket-triage\n", encoding="utf-8")
    program, verb, *words = shlex.split(command)
    here = [str(CHART) if word == "deploy/helm/tocsin" else word for word in words]

    done = helm(binary(), "template", *here, cwd=tmp_path)

    assert (program, verb in {"install", "upgrade"}) == ("helm", True)
    assert done.returncode == 0, done.stderr


def test_the_refusal_that_the_page_shows_is_the_charts() -> None:
    """A sentence that a reader compares with their own terminal."""
    [shown] = re.findall(r"^```text\n(evaluator.*?)\n```", PAGE.read_text("utf-8"), re.MULTILINE)

    said = refusal(
        "--set", "insecure=true,mode=distributed,access.login=none,store.urls={http://ch:8123},evaluator.replicas=2"
    )

    assert shown in said


def _files() -> Iterator[tuple[str, str]]:
    for page in (PAGE, PAGE.with_name("topologies.md")):
        yield from re.findall(
            r"^```yaml\n# ([\w.-]+\.yaml)\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
        )


def test_what_helm_says_after_an_install_names_services_that_are_there() -> None:
    """The next command must work as it is pasted."""
    for name in EXAMPLES:
        said = helm(
            binary(),
            "install",
            RELEASE,
            str(CHART),
            "--dry-run=client",
            "--namespace",
            NAMESPACE,
            "--values",
            values_of(name),
        ).stdout
        notes = said.partition("NOTES:")[2]
        objects = example(name)
        workloads = {
            f"{each['kind'].lower()}/{each['metadata']['name']}"
            for each in objects.kind("Deployment", "StatefulSet", "Service")
        }

        named = set(re.findall(r"(?:exec|port-forward) (\S+/\S+)", notes))
        assert named
        assert named <= workloads
        assert f"-n {NAMESPACE}" in notes

"""What the documents show, read by the product."""

import re
from pathlib import Path

from tocsin_alerts import documents
from tocsin_console.config_file import TocsinYaml

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_documented_tocsin_yaml_is_one_that_up_reads(tmp_path: Path) -> None:
    """A reader pastes it; a key that has gone since must break the build, not their start."""
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    example = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)[0]
    file = tmp_path / "tocsin.yaml"
    file.write_text(example, encoding="utf-8")

    said = documents.load(file, TocsinYaml)

    kinds = {"webhook", "pagerduty", "alertmanager", "slack", "slack_bot", "apprise", "teams", "smtp", "log"}
    assert {channel.type for channel in said.channels} == kinds
    assert set(type(said).model_fields) - {"insecure"} <= set(re.findall(r"^(\w+):", example, flags=re.MULTILINE))

"""The dashboards leave the installation as files that Grafana reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Tocsin = Callable[..., Any]


def test_they_are_written_and_what_a_team_changed_stays(tmp_path: Path, tocsin: Tocsin) -> None:
    """An upgrade must not throw away an afternoon's work on a dashboard."""
    first = tocsin("dashboards", "export", tmp_path / "grafana", "--json")
    files = [Path(name) for name in json.loads(first.stdout)["written"]]
    again = tocsin("dashboards", "export", tmp_path / "grafana")
    files[0].write_text("{}")

    refused = tocsin("dashboards", "export", tmp_path / "grafana")
    replaced = tocsin("dashboards", "export", tmp_path / "grafana", "--replace")

    assert {file.stem for file in files} == {"overview", "quality", "drift", "cost", "system"}
    assert (first.exit_code, again.exit_code, refused.exit_code, replaced.exit_code) == (0, 0, 2, 0)
    assert "--replace" in refused.stderr
    assert all(json.loads(file.read_text())["panels"] for file in files)

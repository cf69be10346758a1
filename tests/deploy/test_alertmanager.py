"""docs/fits/alertmanager.md: its routes are taken by amtool, and lead a page to the pager."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.docs.fences import fences

PAGE = "fits/alertmanager.md"


def amtool() -> Path:
    """Debian's, beside its Alertmanager, or whichever is here."""
    said = os.environ.get("TOCSIN_ALERTMANAGER")
    found = Path(said).with_name("amtool") if said else Path(shutil.which("amtool") or "/nowhere/amtool")
    if not found.is_file():
        pytest.skip("needs amtool beside the Alertmanager that TOCSIN_ALERTMANAGER names")
    return found


@pytest.mark.parametrize(("severity", "receiver"), [("page", "pager"), ("ticket", "tickets"), ("log", "tickets")])
def test_the_routes_of_the_page_lead_where_it_says(tmp_path: Path, severity: str, receiver: str) -> None:
    """A matcher that is spelled wrong sends a page to the tickets."""
    [text] = fences(PAGE, "yaml", tested_by=__file__)
    file = tmp_path / "alertmanager.yml"
    file.write_text(text)

    checked = subprocess.run([amtool(), "check-config", file], capture_output=True, text=True, check=False)
    labels = ["alertname=accuracy-drop", "project=default", "use_case=triage", f"severity={severity}"]
    routed = subprocess.run(
        [amtool(), "config", "routes", "test", f"--config.file={file}", *labels],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
    assert routed.stdout.strip() == receiver, routed.stderr

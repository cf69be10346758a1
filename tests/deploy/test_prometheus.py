"""docs/fits/prometheus.md: promtool takes its files, its alerts fire on what they speak of, and a real Prometheus scrapes tocsin by its key."""

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from bench._clickhouse import free_ports
from tests.collector.sending import eventually
from tests.docs.fences import DOCS, commands, fences
from tests.end_to_end.conftest import running

PAGE = "fits/prometheus.md"

# By alert: what is so, whom it concerns, and after how long it fires.
CAUSES: Mapping[str, tuple[str, str]] = {
    "TocsinDown": ('up{job="tocsin", instance="a"}', "0"),
    "TocsinLosesData": ("tocsin_ledger_balances", "0"),
    "TocsinDoesNotLoad": ("tocsin_collector_oldest_waiting_seconds", "901"),
    "TocsinSpoolFills": ("tocsin_collector_spool_bytes", "81"),
    "TocsinDoesNotEvaluate": ('tocsin_loop_since_turn_seconds{loop="engine"}', "1801"),
    "TocsinRuleFails": ('tocsin_rule_did{rule="latency", did="failed"}', "1"),
    "TocsinTellsNobody": ('tocsin_channel_dead_total{channel="mail"}', "0x40 1x80"),
    "TocsinDiskFills": ("tocsin_disk_warning", "1"),
}
HEALTHY = {
    'up{job="tocsin", instance="a"}': "1",
    "tocsin_ledger_balances": "1",
    "tocsin_collector_oldest_waiting_seconds": "2",
    "tocsin_collector_unfit": "0",
    "tocsin_collector_spool_bytes": "10",
    "tocsin_collector_spool_limit_bytes": "100",
    'tocsin_loop_up{loop="engine"}': "1",
    'tocsin_loop_since_turn_seconds{loop="engine"}': "3",
    'tocsin_rule_did{rule="latency", did="failed"}': "0",
    'tocsin_channel_dead_total{channel="mail"}': "0",
    "tocsin_disk_warning": "0",
}


@pytest.fixture
def promtool() -> str:
    """Debian's, or whichever is here."""
    found = os.environ.get("TOCSIN_PROMTOOL") or shutil.which("promtool")
    if not found:
        pytest.skip("needs promtool: set TOCSIN_PROMTOOL to it, or install Debian's prometheus")
    return found


def page_files(folder: Path) -> dict[str, Any]:
    """Write the page's files; gives them read."""
    read = {}
    for text in fences(PAGE, "yaml", tested_by=__file__):
        name = text.splitlines()[0].removeprefix("# ")
        (folder / name).write_text(text)
        read[name] = yaml.safe_load(text)
    return read


def test_promtool_takes_the_files_and_every_metric_exists(promtool: str, tmp_path: Path) -> None:
    """A rule over a name that nobody exports never fires, and nobody notices."""
    files = page_files(tmp_path)
    files["prometheus.yml"]["scrape_configs"][0]["authorization"]["credentials_file"] = str(tmp_path / "prometheus.yml")
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(files["prometheus.yml"]))

    said = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )

    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{len(CAUSES)} rules found" in said.stdout
    reference = (DOCS / "reference" / "metrics.md").read_text()
    known = set(re.findall(r"^\| `(\w+)` \|", reference, re.MULTILINE))
    used = {series.split("{")[0] for series in HEALTHY} - {"up"}
    rules = json.dumps(files["tocsin-rules.yml"])
    assert used <= known
    assert set(re.findall(r"tocsin_\w+", rules)) == used


def test_each_alert_fires_on_its_own_cause_and_on_no_other(promtool: str, tmp_path: Path) -> None:
    """Tried by promtool's own clock: two hours of health, and two of each trouble."""
    rules = page_files(tmp_path)["tocsin-rules.yml"]["groups"][0]["rules"]
    tests = [_trial("nothing is wrong", HEALTHY, [(each["alert"], []) for each in rules])]
    for rule in rules:
        name = rule["alert"]
        series, values = CAUSES[name]
        labels = {**rule["labels"], **_labels(series if "by (rule)" not in rule["expr"] else '{rule="latency"}')}
        summary = rule["annotations"]["summary"]
        for key, value in labels.items():
            summary = summary.replace(f"{{{{ $labels.{key} }}}}", value)
        fired = [{"exp_labels": labels, "exp_annotations": {"summary": summary}}]
        others = [(each["alert"], []) for each in rules if each["alert"] != name]
        tests.append(_trial(name, {**HEALTHY, series: values}, [(name, fired), *others]))
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": ["tocsin-rules.yml"], "tests": tests}))

    said = subprocess.run(
        [promtool, "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True, check=False
    )

    assert said.returncode == 0, said.stdout + said.stderr


def _trial(name: str, series: Mapping[str, str], expected: list[tuple[str, list[Any]]]) -> dict[str, Any]:
    """What promtool is to try: values every minute, alerts after seventy."""
    held = {each: values if " " in values else f"{values}x120" for each, values in series.items()}
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in held.items()],
        "alert_rule_test": [
            {"alertname": alert, "eval_time": "1h10m", "exp_alerts": alerts} for alert, alerts in expected
        ],
    }


def _labels(series: str) -> dict[str, str]:
    """Read the labels of a series as it is written here."""
    inside = series.partition("{")[2].rstrip("}")
    return {name: value.strip('"') for name, value in (each.strip().split("=") for each in inside.split(",") if each)}


def test_a_real_prometheus_scrapes_with_the_key_that_the_page_makes(promtool: str, tmp_path: Path) -> None:
    """Where people sign in: with the key it is up, without it down."""
    prometheus = Path(promtool).with_name("prometheus")
    if not prometheus.is_file():
        pytest.skip("needs prometheus beside promtool")
    folder = tmp_path / "up"
    folder.mkdir()
    (folder / "tocsin.yaml").write_text("access: {login: keys}\n")
    [create] = commands(PAGE, tested_by=__file__)
    with running(folder) as up:
        key = up.tocsin(*create[1:])["key"]
        (tmp_path / "key").write_text(key)
        config = page_files(tmp_path)["prometheus.yml"]
        [job] = config["scrape_configs"]
        job |= {"scrape_interval": "1s", "static_configs": [{"targets": [up.facts["api"]]}]}
        job["authorization"] = {"credentials_file": str(tmp_path / "key")}
        bare = {each: value for each, value in job.items() if each != "authorization"} | {"job_name": "stranger"}
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": [job, bare]}))
        [port] = free_ports(1)
        command = [
            prometheus, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb",
            f"--web.listen-address=127.0.0.1:{port}",
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                eventually(lambda: _value(port, 'up{job="tocsin"}') == "1")
                eventually(lambda: _value(port, 'up{job="stranger"}') == "0")
                balances = _value(port, "tocsin_ledger_balances")
            finally:
                process.kill()  # it takes its time otherwise, and nobody needs what it holds

    assert balances == "1"


def _value(port: int, expression: str) -> str | None:
    """Ask Prometheus; None until it has an answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={quote(expression)}") as answer:
            found = json.load(answer)["data"]["result"]
    except (urllib.error.URLError, ConnectionError):
        return None
    return found[0]["value"][1] if found else None

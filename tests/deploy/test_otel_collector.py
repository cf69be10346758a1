"""docs/fits/otel-collector.md: its files have keys that the Collector knows, and a real one, where it is to be had, sends as it says."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from bench._clickhouse import free_ports
from tests.collector.conftest import Run, run
from tests.collector.sending import eventually, loaded
from tests.docs.fences import fences

from tocsin_collector.store.database import Database

__all__ = ["run"]

PAGE: Final = "fits/otel-collector.md"
ROOT: Final = Path(__file__).resolve().parents[2]
NOBODY: Final = 65_534
# Names of the Collector 0.135, of which the page has the later ones.
OF_OLD: Final = {"otlp_http": "otlphttp"}

_QUEUE: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("enabled", "num_consumers", "wait_for_result", "block_on_overflow", "sizer", "queue_size", "storage")
    ),
    "batch": dict.fromkeys(("flush_timeout", "min_size", "max_size", "sizer", "partition")),
}
_RETRY: Final = dict.fromkeys(
    ("enabled", "initial_interval", "max_interval", "max_elapsed_time", "multiplier", "randomization_factor")
)
# From the Collector's config.schema.yaml of otlpexporter, configgrpc, queuebatch and configretry, and the pages of the others; None: a value.
KEYS: Final[dict[str, dict[str, Any]]] = {
    "otlp": {"protocols": {"grpc": {"endpoint": None}, "http": {"endpoint": None}}},
    "filelog": {"include": None, "start_at": None, "operators": None},
    "file_storage": dict.fromkeys(("directory", "timeout", "fsync", "create_directory", "compaction")),
    "memory_limiter": dict.fromkeys(("check_interval", "limit_mib", "spike_limit_mib")),
    "filter": {"error_mode": None, "traces": {"span": None, "spanevent": None}, "logs": {"log_record": None}},
    "otlp_grpc": {
        **dict.fromkeys(("endpoint", "headers", "compression", "timeout", "keepalive", "auth", "balancer_name", "wait_for_ready")),
        "tls": dict.fromkeys(("insecure", "ca_file", "cert_file", "key_file", "insecure_skip_verify")),
        "sending_queue": _QUEUE,
        "retry_on_failure": _RETRY,
    },
    "otlp_http": {
        **dict.fromkeys(("endpoint", "headers", "compression", "timeout", "encoding")),
        "tls": dict.fromkeys(("insecure", "ca_file", "cert_file", "key_file")),
        "sending_queue": _QUEUE,
        "retry_on_failure": _RETRY,
    },
}  # fmt: skip


def files() -> dict[str, Any]:
    """The page's configurations, by the names that they have there."""
    texts = fences(PAGE, "yaml", tested_by=__file__)
    return {text.splitlines()[0].removeprefix("# "): yaml.safe_load(text) for text in texts}


def unknown(said: Any, known: Mapping[str, Any] | None, path: str) -> Iterator[str]:
    """Name every key that the table does not have."""
    if known is None or not isinstance(said, dict):
        return
    for name, value in said.items():
        if name not in known:
            yield f"{path}.{name}"
        else:
            yield from unknown(value, known[name], f"{path}.{name}")


@pytest.mark.parametrize("name", ["collector.yaml", "outcomes.yaml"])
def test_every_key_is_one_of_the_collectors(name: str) -> None:
    """A Collector refuses to start over one that it does not know; and a pipeline names what is defined."""
    said = files()[name]
    sections = ("receivers", "extensions", "processors", "exporters")

    strange = [
        key
        for section in sections
        for component, settings in said.get(section, {}).items()
        for key in unknown(settings, KEYS[component.split("/")[0]], component)
    ]
    used = {
        (section, each)
        for pipeline in said["service"]["pipelines"].values()
        for section in ("receivers", "processors", "exporters")
        for each in pipeline[section]
    } | {("extensions", each) for each in said["service"].get("extensions", ())}

    assert strange == []
    assert used == {(section, component) for section in sections for component in said.get(section, {})}


def test_a_key_that_nobody_knows_is_found() -> None:
    """The table is only worth something if it can say no."""
    assert list(unknown({"sending_queue": {"batch": {"size": 1}}}, KEYS["otlp_grpc"], "x")) == [
        "x.sending_queue.batch.size"
    ]


@pytest.fixture(scope="session")
def otelcol() -> Path:
    """A real Collector, fetched once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    done = subprocess.run(
        [ROOT / ".ci" / "otelcol", cache / "tocsin-tests" / "otelcol"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(
            f"needs the package that carries a Collector, to run the page with it: {done.stderr.strip()[-200:]}"
        )
    return Path(done.stdout.strip())


@pytest.fixture
def workplace(otelcol: Path) -> Iterator[Path]:
    """A folder that a process without rights may enter, as pytest's are not, with the Collector in it."""
    with tempfile.TemporaryDirectory(prefix="otelcol-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        copied = folder / "otelcol"
        copied.write_bytes(otelcol.read_bytes())
        copied.chmod(0o755)
        yield folder


def unprivileged() -> dict[str, Any]:
    """A binary of a stranger's gets no rights, where we have any to take away."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


@contextmanager
def collecting(folder: Path, settings: Mapping[str, Any]) -> Iterator[Path]:
    """Run a Collector; gives its log."""
    file, log = folder / "config.yaml", folder / "log"
    file.write_text(yaml.safe_dump(settings))
    with log.open("w") as said:
        process = subprocess.Popen(
            [folder / "otelcol", "--config", file], stdout=said, stderr=said, env={}, cwd=folder, **unprivileged()
        )
    try:
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def as_of_old(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Rename components as this Collector has them, and keep it from serving metrics of its own."""
    text = yaml.safe_dump(settings)
    for name, before in OF_OLD.items():
        text = text.replace(f"{name}/", f"{before}/")
    named: dict[str, Any] = yaml.safe_load(text)
    named["service"]["telemetry"] = {"metrics": {"level": "none"}}
    return named


def test_a_real_collector_keeps_outcomes_until_tocsin_is_back(run: Run, database: Database, workplace: Path) -> None:
    """The page's second file: tocsin is away when the job writes, and each line is one outcome when it returns."""
    [line] = fences(PAGE, "json", tested_by=__file__)
    label = json.loads(line)
    lines = [json.dumps({**label, "tocsin.call.id": f"{number:048x}"}) for number in range(1, 251)]
    (workplace / "outcomes.jsonl").write_text("\n".join(lines) + "\n")
    settings = as_of_old(files()["outcomes.yaml"])
    settings["receivers"]["filelog"]["include"] = [str(workplace / "outcomes.jsonl")]
    [port] = free_ports(1)
    settings["exporters"]["otlphttp/tocsin"]["endpoint"] = f"http://127.0.0.1:{port}"

    with collecting(workplace, settings) as log:
        eventually(lambda: "Exporting failed. Will retry the request after interval." in log.read_text())
        collector, _ = run(http_address=f"127.0.0.1:{port}")
        eventually(lambda: collector.stats().received_logs >= len(lines))
        loaded(collector)
        said = log.read_text()

    waiting = database.rows("SELECT call_id, label FROM outcomes_waiting FINAL ORDER BY call_id")
    assert waiting == [{"call_id": f"{number:048x}", "label": "refund"} for number in range(1, 251)]
    assert "Dropping data" not in said


def test_a_real_collector_takes_the_settings_of_the_first_file(workplace: Path) -> None:
    """What the two exporters share, and the memory limiter, checked by the Collector itself."""
    page = files()["collector.yaml"]
    exporter = {**page["exporters"]["otlp_grpc/tocsin"], "endpoint": "https://tocsin.internal:4318"}
    exporter["sending_queue"] = {name: each for name, each in exporter["sending_queue"].items() if name != "storage"}
    settings = as_of_old(files()["outcomes.yaml"])
    settings["exporters"]["otlphttp/tocsin"] = exporter
    settings["processors"]["memory_limiter"] = page["processors"]["memory_limiter"]
    checked = [_check(workplace, settings)]
    exporter["sending_queue"]["bacth"] = {}

    checked.append(_check(workplace, settings))

    assert checked[0] == (0, "")
    assert checked[1][0] == 1
    assert "has invalid keys: bacth" in checked[1][1]


def _check(folder: Path, settings: Mapping[str, Any]) -> tuple[int, str]:
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    done = subprocess.run(
        [folder / "otelcol", "validate", "--config", folder / "config.yaml"],
        env={"TOCSIN_KEY": "tk_x"}, cwd=folder, capture_output=True, text=True, timeout=60, check=False, **unprivileged(),
    )  # fmt: skip
    return done.returncode, done.stderr

"""compose.yaml against its schema, and against everything that it joins: the image, tocsin's loader, users, dashboards."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from bench._alertmanager import alertmanager_binary
from bench._image.dockerfile import read
from tests.deploy.compose import COMPOSE, DEPLOY, FOLDER, MOUNT, SERVICES, made_passwords
from tests.docs.fences import fences

from tocsin_console.config import Config, Flags, resolve

RUNNING = sorted(set(SERVICES) - {"secrets"})
DATASOURCE = yaml.safe_load((FOLDER / "grafana" / "datasource.yaml").read_text(encoding="utf-8"))["datasources"][0]
USERS = ET.parse(FOLDER / "clickhouse" / "users.xml").getroot()  # noqa: S314 - our own file


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Volumes with the passwords of a first start."""
    return made_passwords(tmp_path_factory.mktemp("secrets"))


@pytest.fixture(scope="module")
def config(secrets: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Read the shipped tocsin.yaml with the product's own loader."""
    text = (FOLDER / "tocsin" / "tocsin.yaml").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("config") / "tocsin.yaml"
    file.write_text(text.replace(MOUNT, str(secrets["tocsin"])), encoding="utf-8")
    return resolve(Flags(config=file), environment={"TOCSIN_DATA_DIR": "/var/lib/tocsin"}, cwd=file.parent)


def mounts(service: str) -> list[list[str]]:
    """Split a service's volumes: source, target, and ro where it may only read."""
    return [each.split(":") for each in SERVICES[service].get("volumes", ())]


def ports(service: str) -> set[int]:
    """Name the ports of a service that the host publishes."""
    return {int(each.rpartition(":")[2]) for each in SERVICES[service].get("ports", ())}


def host(url: str) -> str:
    """Name the host of an address."""
    return url.partition("://")[2].partition(":")[0]


def test_compose_yaml_is_valid() -> None:
    """An engine refuses a wrong key with the whole file."""
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        FOLDER / "compose.yaml",
    ]

    said = subprocess.run(command, capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_service_can_do_as_little_as_possible(service: str) -> None:
    """Whoever breaks into one is in a file system that cannot be written, without a capability, with bounded memory."""
    said = SERVICES[service]

    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]
    assert said["security_opt"] == ["no-new-privileges:true"]
    assert said["mem_limit"]
    assert said["logging"]["options"]["max-size"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(said)
    assert said.get("user", "10001").partition(":")[0] != "0" or said["network_mode"] == "none"


def test_ports_are_published_on_loopback_alone() -> None:
    """Tocsin's listeners trust whoever reaches them here; 0.0.0.0 would be the whole network."""
    published = [each for service in SERVICES.values() for each in service.get("ports", ())]

    assert published
    assert [each for each in published if not each.startswith("127.0.0.1:")] == []
    assert "ports" not in SERVICES["clickhouse"]


def test_images_are_pinned_or_built_here() -> None:
    """A tag that moves is another program tomorrow."""
    stages = read(DEPLOY / "container" / "Dockerfile").stages

    for name, service in SERVICES.items():
        if build := service.get("build"):
            assert (FOLDER / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "container" / "Dockerfile"
            assert build["target"] in stages
        else:
            assert re.fullmatch(r"[\w/-]+:v?[\d.]+@sha256:[0-9a-f]{64}", service["image"]), name


def test_what_is_mounted_is_there_and_what_keeps_data_is_a_named_volume() -> None:
    """A bind mount of a missing file becomes an empty folder, and the service starts without its configuration."""
    sources = [(source, options) for name in SERVICES for source, _, *options in mounts(name)]
    bound = [(source, options) for source, options in sources if source.startswith(".")]
    named = {source for source, _ in sources if not source.startswith(".")}

    assert [source for source, _ in bound if not (FOLDER / source).exists()] == []
    assert [source for source, options in bound if options != ["ro"]] == []
    assert named == set(COMPOSE["volumes"])


def test_services_wait_until_those_that_they_need_are_healthy() -> None:
    """Started in any other order the first minute is full of errors that mean nothing."""
    for name in RUNNING:
        for needed, how in SERVICES[name].get("depends_on", {}).items():
            once = needed == "secrets"
            assert how["condition"] == ("service_completed_successfully" if once else "service_healthy"), (name, needed)
            file = read(DEPLOY / "container" / "Dockerfile")
            target = SERVICES[needed].get("build", {}).get("target", "")
            assert once or "healthcheck" in SERVICES[needed] or file.last(target, "HEALTHCHECK"), needed


def test_tocsin_is_configured_for_these_services(config: Config) -> None:
    """Every host that it names is a service that it shares a network with; every port that it opens is published or not needed."""
    [alertmanager] = [each for each in config.channels if each.type == "alertmanager"]
    named = [*map(host, config.store.urls), *map(host, alertmanager.urls)]
    own = set(SERVICES["tocsin"]["networks"])

    assert named == ["clickhouse", "alertmanager"]
    assert all(own & set(SERVICES[each]["networks"]) for each in (*named, "example"))
    listening = [config.grpc, config.http, config.guard, config.api]
    assert {each.host for each in listening if each} == {"0.0.0.0"}  # noqa: S104 - compared, not bound
    assert {each.port for each in listening if each} == ports("tocsin")
    assert config.clickhouse_http is None
    assert config.public_url == f"http://127.0.0.1:{config.api.port}"
    assert ["tocsin-data", str(config.data_dir)] in mounts("tocsin")


def test_the_example_is_told_where_tocsin_listens(config: Config) -> None:
    """Spans to another port would be lost without a word on this side."""
    told = SERVICES["example"]["environment"]
    port = SERVICES["example"]["command"][1].rpartition(":")[2]

    assert told == {
        "TOCSIN_ENDPOINT": f"http://tocsin:{config.grpc.port}",
        "TOCSIN_GUARD_ENDPOINT": f"tocsin:{config.guard.port}",
    }
    assert ports("example") == {int(port)}
    [shown] = fences("deploy/container.md", "yaml", tested_by=__file__)
    assert yaml.safe_load(shown) == {"environment": told}
    assert "store" not in SERVICES["example"]["networks"]


def test_passwords_are_made_once_and_each_service_sees_its_own(secrets: dict[str, Path], config: Config) -> None:
    """Nothing secret is in the repository, and a second start must not lock anybody out."""
    before = {path: path.read_bytes() for folder in secrets.values() for path in folder.iterdir()}
    made_passwords(next(iter(secrets.values())).parent)

    assert {path: path.read_bytes() for path in before} == before
    assert {path.relative_to(path.parents[1]).as_posix() for path in before} == {
        "tocsin/store-password",
        "grafana/store-password",
        "grafana/admin-password",
        "clickhouse/hashes.xml",
    }
    assert len({before[path] for path in before}) == len(before)
    assert all(len(text) >= 32 for text in before.values())
    hashes = (secrets["clickhouse"] / "hashes.xml").read_text(encoding="utf-8")
    assert hashlib.sha256(config.store_password.encode()).hexdigest() in hashes
    assert config.store_password not in hashes
    for name in SERVICES:
        read_only = [source for source, target, *_ in mounts(name) if target == MOUNT]
        assert read_only in ([], [f"{name}-secrets"]), name


def test_a_password_that_somebody_changed_is_followed(tmp_path: Path) -> None:
    """Written into its file, it holds at the next start of both sides."""
    volumes = made_passwords(tmp_path)
    file = volumes["tocsin"] / "store-password"
    file.unlink()
    file.write_text("another\n", encoding="utf-8")

    made_passwords(tmp_path)

    assert hashlib.sha256(b"another").hexdigest() in (volumes["clickhouse"] / "hashes.xml").read_text(encoding="utf-8")


def test_users_have_the_rights_that_users_sql_gives_these_parts() -> None:
    """Two lists of rights drift apart until a start fails, or until one may do too much."""
    sql = (DEPLOY / "clickhouse" / "users.sql").read_text(encoding="utf-8")
    roles: dict[str, set[str]] = {}
    for rights, role in re.findall(r"^GRANT ([A-Z][^;]*? ON [^;]*?) TO (\w+);", sql, flags=re.MULTILINE | re.DOTALL):
        roles.setdefault(role, set()).add(f"GRANT {' '.join(rights.split())}")
    given = {user.tag: {each.text for each in user.iter("query")} for user in USERS.find("users") or ()}

    assert given["tocsin"] == roles["tocsin_migrator"] | roles["tocsin_evaluator"]
    assert given["grafana"] == roles["tocsin_reader"]
    assert set(given) == {"default", "tocsin", "grafana"}
    settings = {each.tag: each.text for each in USERS.find("profiles/tocsin_reading") or ()}
    assert all(f"{name} = {value}" in sql for name, value in settings.items())
    assert len(settings) == 4


def test_grafana_is_given_the_data_source_that_the_dashboards_ask(config: Config) -> None:
    """A dashboard that finds no data source of its type is a page of errors."""
    json_data = DATASOURCE["jsonData"]
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/tocsin.yaml").read_text(encoding="utf-8"))
    shown = {target: FOLDER / source for source, target, *_ in mounts("grafana")}
    plain = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/tocsin.yaml").read_text(encoding="utf-8"))[
        "datasources"
    ][0]

    assert {key: DATASOURCE[key] for key in ("uid", "type", "name")} == {
        key: plain[key] for key in ("uid", "type", "name")
    }
    assert USERS.find(f"users/{json_data['username']}") is not None
    assert json_data["defaultDatabase"] == config.database
    assert f"http://{json_data['host']}:{json_data['port']}" in config.store.urls
    assert DATASOURCE["secureJsonData"]["password"] == f"$__file{{{MOUNT}/store-password}}"
    assert SERVICES["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"] == f"{MOUNT}/admin-password"
    assert DATASOURCE["type"] in SERVICES["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"]
    folder = shown[provider["providers"][0]["options"]["path"]]
    assert folder.resolve() == DEPLOY / "grafana" / "dashboards"
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (folder / home.name).exists()
    for file in folder.glob("*.json"):
        asked = {each["query"] for each in _variables(file) if each["type"] == "datasource"}
        assert asked == {DATASOURCE["type"]}, file


def _variables(dashboard: Path) -> list[dict[str, str]]:
    return list(json.loads(dashboard.read_text(encoding="utf-8"))["templating"]["list"])


def test_alertmanager_takes_its_configuration() -> None:
    """It does not start with one that it cannot read, and tocsin waits for it."""
    binary = alertmanager_binary()
    tool = binary and binary.with_name("amtool")
    if tool is None or not tool.exists():
        pytest.skip("needs amtool beside Alertmanager: set TOCSIN_ALERTMANAGER, or install Debian's package")
    file = FOLDER / "alertmanager" / "alertmanager.yml"

    said = subprocess.run([tool, "check-config", file], capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stdout + said.stderr

"""What deploy/compose says, read once, and its parts started as processes where an engine would start containers."""

import shutil
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from bench._clickhouse import ClickHouse

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy"
FOLDER: Final = DEPLOY / "compose"
COMPOSE: Final[Mapping[str, Any]] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: Final[Mapping[str, Any]] = COMPOSE["services"]
VOLUMES: Final = ("tocsin", "clickhouse", "grafana")  # of secrets
MOUNT: Final = "/run/secrets"  # where each service sees its own


def made_passwords(folder: Path) -> dict[str, Path]:
    """Run what makes the passwords, over empty volumes or the ones that are there; each service's volume."""
    for name in VOLUMES:
        (folder / name).mkdir(parents=True, exist_ok=True)
    script, _, *arguments = SERVICES["secrets"]["entrypoint"][1:], None
    [mounted] = [each for each in SERVICES["secrets"]["volumes"] if each.endswith(f":{script[0]}:ro")]
    subprocess.run([sys.executable, FOLDER / mounted.partition(":")[0], folder, *arguments], check=True)
    return {name: folder / name for name in VOLUMES}


def tocsin_folder(folder: Path, secrets: Path, *, alertmanager: str) -> Path:
    """Copy tocsin's own folder, with what an engine would resolve: the mounted secrets, and Alertmanager's name."""
    made = shutil.copytree(FOLDER / "tocsin", folder)
    text = (made / "tocsin.yaml").read_text(encoding="utf-8")
    for name, there in ((MOUNT, str(secrets)), ("http://alertmanager:9093", alertmanager)):
        assert name in text
        text = text.replace(name, there)
    (made / "tocsin.yaml").write_text(text, encoding="utf-8")
    return made


class Store(ClickHouse):
    """A ClickHouse server with the files that compose.yaml gives to its container; asked as one of its users."""

    user, password = "tocsin", ""

    @classmethod
    def with_secrets(cls, binary: Path, folder: Path, secrets: Mapping[str, Path]) -> "Store":
        """Plan it."""
        drop_ins = folder.with_name("drop-ins")
        drop_ins.mkdir()
        for mount in SERVICES["clickhouse"]["volumes"]:
            source, target, *_ = mount.split(":")
            if source.startswith("."):
                text = (FOLDER / source).read_text(encoding="utf-8").replace(MOUNT, str(secrets["clickhouse"]))
                (drop_ins / Path(target).name).write_text(text, encoding="utf-8")
        made = cls.of(binary, folder, drop_ins=sorted(drop_ins.iterdir()))
        made.password = (secrets["tocsin"] / "store-password").read_text(encoding="utf-8")
        return made

    @property
    def url(self) -> str:
        """Where it speaks HTTP, nobody named."""
        return f"http://127.0.0.1:{self.nodes[0].http}"

    def ask(self, name: str, sql: str) -> str:  # noqa: ARG002 - it is one server
        """Ask as tocsin does: the server has no other user that may do much."""
        return self.ask_as(self.user, self.password, sql)

    def ask_as(self, user: str, password: str, sql: str) -> str:
        """Ask as anybody.

        Raises:
            HTTPError: it refuses.
        """
        shown = b64encode(f"{user}:{password}".encode()).decode()
        request = urllib.request.Request(self.url, sql.encode(), {"authorization": f"Basic {shown}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read().decode().strip())

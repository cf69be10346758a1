"""Makes the passwords of compose.yaml at the first start, and nothing at a later one.

    passwords.py FOLDER      FOLDER/tocsin, FOLDER/clickhouse and FOLDER/grafana are the volumes of these services

tocsin and Grafana get the password of their own user of ClickHouse, ClickHouse both as hashes. A file that is there is kept, so
a password is changed by writing another into it, and hashes always follow.
"""

import hashlib
import secrets
import sys
from pathlib import Path

OWNERS = {"tocsin": "tocsin/store-password", "grafana": "grafana/store-password"}  # users of ClickHouse
ADMIN = "grafana/admin-password"


def make(folder: Path) -> None:
    """Write what is missing, and the hashes of what is there."""
    for name in (*OWNERS.values(), ADMIN):
        if not (folder / name).exists():
            _write(folder / name, secrets.token_urlsafe(24))
    hashes = "".join(
        f"<{user}_sha256>{hashlib.sha256((folder / name).read_bytes().strip()).hexdigest()}</{user}_sha256>"
        for user, name in OWNERS.items()
    )
    _write(folder / "clickhouse/hashes.xml", f"<clickhouse>{hashes}</clickhouse>\n")


def _write(file: Path, text: str) -> None:
    """Write it whole or not at all; whoever is given the volume may read it."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o444)
    new.replace(file)


if __name__ == "__main__":
    make(Path(sys.argv[1]))

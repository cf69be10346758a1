"""The stores' page: every block is what `tocsin up` reads."""

from pathlib import Path
from typing import Any

from tests.docs.pages import shown

from tocsin_console.config import Config, Flags, resolve

PAGE = "stores/index.md"


def test_each_block_names_the_store_that_its_text_speaks_of(tmp_path: Path) -> None:
    """Whoever copies it must not find out by an error which key has another name."""
    (tmp_path / "clickhouse.token").write_text("t-1\n")
    embedded, server, cluster, cloud = (_read(tmp_path, block.text) for block in shown(PAGE, tested_by=__file__))

    assert (embedded.store.path, embedded.store.url) == (tmp_path / "tocsin-data" / "store", None)
    assert (server.store.url, server.store.user, server.store.password) == (
        "http://clickhouse.internal:8123",
        "tocsin",
        "p-1",
    )
    assert (cluster.store.cluster, len(cluster.store.urls), cluster.store.insert_quorum) == ("tocsin", 2, "auto")
    assert (str(cloud.store.url)[:8], cloud.store.access_token) == ("https://", "t-1")


def _read(folder: Path, text: str) -> Any:
    (folder / "tocsin.yaml").write_text(text, encoding="utf-8")
    found: Config = resolve(Flags(), environment={"CLICKHOUSE_PASSWORD": "p-1"}, cwd=folder)
    return found

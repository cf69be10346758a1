"""Whether the endpoint is there, and what ``up`` says when it is not."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.console.clickhouse_http.conftest import HTTP

from tocsin_collector.store.database import Database
from tocsin_console.addresses import Address
from tocsin_console.clickhouse_http.serving import Reading
from tocsin_console.config import Config, Flags, resolve
from tocsin_console.errors import AddressInUse, UsageProblem


@pytest.fixture
def taken() -> Iterator[Address]:
    """An address that another process listens on, as a ClickHouse server would."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield Address(host="127.0.0.1", port=other.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings of an empty folder."""
    return resolve(Flags(data_dir=tmp_path / "data"), environment={}, cwd=tmp_path)


def test_a_taken_default_address_keeps_nothing_from_starting(
    config: Config, taken: Address, engine_folder: Path
) -> None:
    """Spans must be taken although a ClickHouse server runs beside; the sentence says how to have both."""
    reading = Reading(replace(config, clickhouse_http=taken, clickhouse_http_is_given=False))

    said = reading.start(engine_folder)

    assert set(said) == {"clickhouse_http_off"}
    assert str(taken) in said["clickhouse_http_off"]
    assert "--clickhouse-http" in said["clickhouse_http_off"]
    assert reading.counts()["answered"] == 0
    reading.stop(timeout_s=1)


def test_an_address_that_somebody_named_is_insisted_on(config: Config, taken: Address, engine_folder: Path) -> None:
    """Who asked for it would otherwise look for it in vain."""
    with pytest.raises(AddressInUse, match="--clickhouse-http"):
        Reading(replace(config, clickhouse_http=taken, clickhouse_http_is_given=True)).start(engine_folder)


def test_it_can_be_off_and_is_not_there_with_a_server(config: Config, engine_folder: Path) -> None:
    """A server has its own HTTP, with users and row policies."""
    anywhere = Address(host="127.0.0.1", port=0)

    assert Reading(replace(config, clickhouse_http=None)).start(engine_folder) == {}
    assert Reading(replace(config, clickhouse_http=anywhere, store_url="http://x:8123")).start(engine_folder) == {}


def test_others_on_the_network_are_not_let_in(config: Config, engine_folder: Path) -> None:
    """There are no logins for them."""
    open_to_all = replace(config, clickhouse_http=Address(host="0.0.0.0", port=0))  # noqa: S104 - to be refused

    with pytest.raises(UsageProblem, match="--clickhouse-http"):
        Reading(open_to_all).start(engine_folder)


def test_it_counts_what_it_answers(config: Config, store: Database, engine_folder: Path) -> None:
    """The counts are in /metrics; after stopping, nobody is answered."""
    chosen = replace(config, clickhouse_http=Address(host="127.0.0.1", port=0), database=store.address.database)
    reading = Reading(chosen)
    url = f"http://{reading.start(engine_folder)['clickhouse_http']}/"

    assert HTTP.request("POST", url, body=b"SELECT count() >= 0 FROM calls").data == b"1\n"
    assert HTTP.request("POST", url, body=b"SELECT nope").status == 404

    assert reading.counts() == {"answered": 1, "failed": 1, "turned_away": 0, "running": 0}
    reading.stop(timeout_s=5)
    with socket.socket() as line:
        assert line.connect_ex(("127.0.0.1", int(url.rpartition(":")[2].strip("/")))) != 0

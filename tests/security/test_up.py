"""``tocsin up`` as it stands in a network: certificates, keys, and what it writes down of them."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.end_to_end.conftest import Up, another_up, running, wait_for
from tests.security.conftest import Issue

__all__ = ["another_up", "wait_for"]

_HERE = Path(__file__).parent
_CONFIG = "tls: {{certificate: {0}, private_key: {1}}}\ningest_keys: required\nredact: [email]\n"


def _serve(up: Any, authority: Path, key: str) -> str:
    environment = {
        "PATH": "",
        "TOCSIN_KEY": key,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://{up.facts['grpc']}",
        "TOCSIN_GUARD_ENDPOINT": f"https://{up.facts['guard']}",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority),
    }
    command = [sys.executable, str(_HERE / "service.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _metrics(up: Any) -> str:
    with urllib.request.urlopen(f"http://{up.facts['api']}/metrics") as answer:
        return str(answer.read().decode())


def test_a_service_with_a_key_is_served_over_tls_and_its_key_written_nowhere(
    tmp_path: Path, issue: Issue, wait_for: Any
) -> None:
    """From the first key, made while nothing runs, to the last word about a person, after everything has ended."""
    server = issue()
    (tmp_path / "tocsin.yaml").write_text(_CONFIG.format(server.certificate, server.private_key))
    at_rest = Up(tmp_path)
    at_rest.facts = {}
    key = at_rest.tocsin("keys", "create", "shop", "--by", "ann")["key"]

    with running(tmp_path) as up:
        assert _serve(up, server.authority, key) == "True normal"
        counted = "SELECT project, count() FROM {} GROUP BY project"
        wait_for(lambda: up.query(counted.format("outcomes")) == [["shop", 1]], what="the outcome")
        wait_for(lambda: up.query(counted.format("ai_calls")) == [["shop", 1]], what="the call")
        statuses = up.tocsin("status")["use_cases"]
        assert [(each["project"], each["use_case"]) for each in statuses] == [("shop", "fraud")]

        up.tocsin("keys", "revoke", key.split("_")[1], "--by", "bob")
        assert _serve(up, server.authority, key) == "False normal"

        (call_id,) = up.query("SELECT call_id FROM ai_calls")[0]
        forgotten = up.tocsin("forget", "--call-id", call_id, "--project", "shop", "--by", "dpo")
        assert forgotten["is_forgotten"]
        assert {each["place"]: each["before"] for each in forgotten["places"]}["outcomes"] == 1
        ledger = up.tocsin("status")["ledger"]
        assert (ledger["balances"], ledger["spans_erased"]) == (True, 1)
        said = up.log.read_text() + str(up.facts) + (tmp_path / "data" / "run.json").read_text() + _metrics(up)
        assert up.end() == 0

    assert up.tocsin("forget", "--user", "nobody")["is_forgotten"]
    written = said.encode() + b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert key.rpartition("_")[2].encode() not in written
    assert os.fsencode(key.split("_")[1]) in written  # the id may be told


def test_an_open_address_is_refused_before_it_is_bound(tmp_path: Path, another_up: type[Up]) -> None:
    """Nothing listens for a moment either; the sentence says what to add."""
    for option in ("--grpc", "--http", "--guard", "--api"):
        code, sentence = another_up(tmp_path, option, "0.0.0.0:0").refusal()

        assert code == 2
        assert f"expected a loopback address for {option}" in sentence
        assert "--insecure" in sentence
    assert not (tmp_path / "data").exists()

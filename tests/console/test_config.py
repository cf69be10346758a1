"""Where settings come from."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tocsin_alerts.channels import PagerDutyChannel
from tocsin_alerts.errors import ChannelError, DocumentError
from tocsin_console.config import Flags, resolve, secret
from tocsin_console.errors import UsageProblem
from tocsin_console.notifiers import with_notifiers

NOW = datetime(2026, 4, 17, 12, tzinfo=UTC)


def test_nothing_needs_to_be_configured(tmp_path: Path) -> None:
    """``pip install`` and ``tocsin up`` must be enough."""
    config = resolve(Flags(), environment={"HOME": str(tmp_path / "home")}, cwd=tmp_path)

    assert config.data_dir == tmp_path / "home/.local/share/tocsin"
    assert config.store_path == config.data_dir / "store"
    assert (str(config.grpc), str(config.api), str(config.guard)) == (
        "127.0.0.1:4317",
        "127.0.0.1:8317",
        "127.0.0.1:8015",
    )
    assert config.clock == "wall"
    assert config.channels == ()


def test_flag_beats_variable_beats_file_beats_default(tmp_path: Path) -> None:
    """The nearer to the person, the stronger."""
    (tmp_path / "tocsin.yaml").write_text(
        "clock: data\nlisten:\n  grpc: 127.0.0.1:1\n  api: 127.0.0.1:1\n  guard: 127.0.0.1:1\n"
    )

    config = resolve(
        Flags(grpc="127.0.0.1:3"),
        environment={"TOCSIN_GRPC_ADDRESS": "127.0.0.1:2", "TOCSIN_API_ADDRESS": "127.0.0.1:2"},
        cwd=tmp_path,
    )

    assert (config.grpc.port, config.api.port, config.guard.port) == (3, 2, 1)
    assert config.clock == "data"
    assert config.data_dir == tmp_path / "tocsin-data"


def test_paths_in_the_file_are_beside_the_file(tmp_path: Path) -> None:
    """A cron job with another working folder must read the same plans."""
    (tmp_path / "tocsin.yaml").write_text("data_dir: d\nuse_cases: plans\n")

    config = resolve(Flags(config=tmp_path / "tocsin.yaml"), environment={}, cwd=Path("/"))

    assert config.data_dir == tmp_path / "d"
    assert config.use_cases_dir == tmp_path / "plans"
    assert config.rules_dir == tmp_path / "rules"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("clok: data\n", 1, "clock"),
        ("clock: sundial\n", 1, "data"),
        ("store:\n  pasword: env:X\n", 2, "password"),
        ("channels:\n  - name: a\n    type: carrier-pigeon\n", 3, "webhook"),
        ("channels:\n  - name: a\n    type: webhook\n    urll: x\n", 4, "url"),
        ("channels:\n  - name: a\n    type: webhook\n", 2, "'url'"),
        ("channels:\n  - name: a\n    type: log\n    host: x\n", 2, "'host'"),
        ("use_case_map:\n  - {service: x}\n", 2, "use_case"),
    ],
)
def test_a_mistake_is_named_by_file_and_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    """With the nearest valid name, so that nobody has to look it up."""
    (tmp_path / "tocsin.yaml").write_text(text)

    with pytest.raises(DocumentError) as caught:
        resolve(Flags(), environment={}, cwd=tmp_path)

    found = [str(finding) for finding in caught.value.findings]
    assert any(f"tocsin.yaml:{line}: " in finding and said in finding for finding in found), found


@pytest.mark.parametrize(
    "flags",
    [
        Flags(grpc="4317"),
        Flags(api="127.0.0.1:99999"),
        Flags(guard="http://127.0.0.1:1"),
        Flags(clock="sundial"),
        Flags(config=Path("missing.yaml")),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(tmp_path: Path, flags: Flags) -> None:
    """Before anything is opened."""
    with pytest.raises(UsageProblem):
        resolve(flags, environment={}, cwd=tmp_path)


def test_a_secret_is_a_reference(tmp_path: Path) -> None:
    """A configuration file is committed, mailed and pasted."""
    (tmp_path / "key").write_text("from-file\n")

    assert secret("env:X", environment={"X": "from-env"}, base=tmp_path, what="it") == "from-env"
    assert secret("file:key", environment={}, base=tmp_path, what="it") == "from-file"
    for reference in ("hunter2", "env:MISSING", "file:missing"):
        with pytest.raises(UsageProblem) as caught:
            secret(reference, environment={}, base=tmp_path, what="it")
        assert "hunter2" not in str(caught.value)


def _file(folder: Path, text: str) -> Path:
    file = folder / "tocsin.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_tls_files_stand_beside_the_configuration(tmp_path: Path) -> None:
    """A path is meant from the file that says it; a variable's from where the command was started."""
    _file(tmp_path, "tls: {certificate: tls/a.pem, private_key: tls/a.key}\ningest_keys: required\n")

    config = resolve(Flags(), environment={"TOCSIN_TLS_CLIENT_CA": "ca.pem"}, cwd=tmp_path)

    assert config.tls is not None
    assert config.tls.certificate == tmp_path / "tls/a.pem"
    assert config.tls.client_ca == tmp_path / "ca.pem"
    assert config.ingest_keys == "required"


def test_half_a_certificate_is_refused(tmp_path: Path) -> None:
    """Listening in clear because one of two paths was forgotten would be the worst reading."""
    _file(tmp_path, "tls: {certificate: a.pem}\n")

    with pytest.raises((DocumentError, UsageProblem), match="private_key"):
        resolve(Flags(), environment={}, cwd=tmp_path)
    with pytest.raises(UsageProblem, match="one without the other"):
        resolve(Flags(config=None), environment={"TOCSIN_TLS_CLIENT_CA": "ca.pem"}, cwd=tmp_path / "elsewhere")


def test_redaction_rules_are_shipped_ones_by_name_or_patterns(tmp_path: Path) -> None:
    """The order is kept: an earlier rule takes its text before a later one sees it."""
    _file(
        tmp_path,
        "redact:\n  - email\n  - {preset: iban, fields: [a.*]}\n  - {name: t, pattern: 'T-\\d+', luhn: true}\n",
    )

    rules = resolve(Flags(), environment={}, cwd=tmp_path).redactions

    assert [(rule.name, rule.fields, rule.luhn) for rule in rules] == [
        ("email", (), False),
        ("iban", ("a.*",), False),
        ("t", (), True),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("redact: [emial]", "expected one of api-key, bearer-token"),
        ("redact: [email, email]", "email more often"),
        ("redact:\n  - {name: x, pattern: '(?<=a)b'}", "looks ahead or behind"),
        ("redact:\n  - {preset: email, pattern: x}", "pattern of its own"),
        ("redact:\n  - {name: x}", "a name and a pattern"),
        ("ingest_keys: maybe", "'required' or 'optional'"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    """A typo must not leave card numbers in the store."""
    _file(tmp_path, text + "\n")

    with pytest.raises((DocumentError, UsageProblem), match=why):
        resolve(Flags(), environment={}, cwd=tmp_path)


@pytest.mark.parametrize(
    ("said", "expected"),
    [("50GB", 50 * 10**9), ("1.5 TB", 1.5e12), ("200GiB", 200 * 2**30), ("5000000", 5_000_000), ("", None)],
)
def test_a_size_is_written_as_people_write_it(tmp_path: Path, said: str, expected: float | None) -> None:
    """With the units of a disk or of memory."""
    config = resolve(Flags(max_disk=said), environment={}, cwd=tmp_path)

    assert config.max_disk_bytes == expected


@pytest.mark.parametrize("said", ["50", "lots", "-1GB", "10 bytes", "1e9"])
def test_a_size_that_is_none_is_refused(tmp_path: Path, said: str) -> None:
    """50 would mean bytes, and warn for ever."""
    with pytest.raises(UsageProblem, match="such as 50GB"):
        resolve(Flags(max_disk=said), environment={}, cwd=tmp_path)


def test_reading_can_be_moved_switched_off_and_closed_with_a_password(tmp_path: Path) -> None:
    """On a machine with a ClickHouse server 8123 is taken; the password stays out of the file."""
    plain = resolve(Flags(), environment={"HOME": str(tmp_path)}, cwd=tmp_path)
    (tmp_path / "tocsin.yaml").write_text(
        "listen:\n  clickhouse: 127.0.0.1:9123\n  clickhouse_password: env:READ_PASSWORD\n"
    )
    moved = resolve(Flags(), environment={"READ_PASSWORD": "p"}, cwd=tmp_path)
    off = resolve(Flags(clickhouse_http="off"), environment={"READ_PASSWORD": "p"}, cwd=tmp_path)

    assert (str(plain.clickhouse_http), plain.clickhouse_http_is_given) == ("127.0.0.1:8123", False)
    assert (str(moved.clickhouse_http), moved.clickhouse_http_is_given) == ("127.0.0.1:9123", True)
    assert moved.clickhouse_http_password == "p"
    assert off.clickhouse_http is None


def test_channels_to_pagers_and_chats_are_given_by_reference(tmp_path: Path) -> None:
    """A key or an address in the file would be in every backup of it."""
    (tmp_path / "tocsin.yaml").write_text(
        "channels:\n"
        "  - {name: pd, type: pagerduty, routing_key: env:KEY}\n"
        "  - {name: chat, type: slack, url: env:URL, severities: [page, ticket], updates: false}\n"
        "  - {name: room, type: teams, url: file:url}\n"
    )
    (tmp_path / "url").write_text("https://example.com/room\n")
    config = resolve(Flags(), environment={"HOME": str(tmp_path)}, cwd=tmp_path)
    known = {"KEY": "k" * 32, "URL": "https://example.com/chat"}

    made = with_notifiers(config, environment=known, now=lambda: NOW)

    assert [getattr(channel, "app", type(channel)) for channel, _ in made] == [PagerDutyChannel, "slack", "teams"]
    assert [(channel.severities, channel.updates) for channel, _ in made] == [
        (("page",), True),
        (("page", "ticket"), False),
        (("page",), True),
    ]
    with pytest.raises(UsageProblem, match="the secret of channel 'pd' in the environment variable KEY"):
        with_notifiers(config, environment={}, now=lambda: NOW)
    with pytest.raises(ChannelError, match="channel 'chat': expected a url of http or https"):
        with_notifiers(config, environment={**known, "URL": "hunter2"}, now=lambda: NOW)

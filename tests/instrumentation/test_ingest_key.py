"""The ingest key goes with everything that the SDK sends."""

import pytest

from tocsin._process.settings import Settings, TlsFiles


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TOCSIN_KEY": "tk_a_b"}, (("authorization", "Bearer tk_a_b"),)),
        (
            {"OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20tk_a_b,x=1"},
            (("authorization", "Bearer tk_a_b"), ("x", "1")),
        ),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "x-tocsin-key=tk_a_b", "TOCSIN_KEY": "tk_c_d"}, (("x-tocsin-key", "tk_a_b"),)),
        (
            {"OTEL_EXPORTER_OTLP_HEADERS": "x=1", "TOCSIN_KEY": " tk_c_d "},
            (("x", "1"), ("authorization", "Bearer tk_c_d")),
        ),
        ({}, ()),
    ],
)
def test_the_key_comes_from_the_environment(environ: dict[str, str], expected: tuple[tuple[str, str], ...]) -> None:
    """By our variable or OpenTelemetry's, percent-encoded as it says; a header that was given is not changed."""
    assert Settings.read(environ).headers == expected


def test_headers_of_the_code_win_over_the_environment() -> None:
    """In small letters, as gRPC wants them."""
    settings = Settings.read({"OTEL_EXPORTER_OTLP_HEADERS": "x=1"}, headers={"X-Tocsin-Key": "tk_a_b"})

    assert settings.headers == (("x-tocsin-key", "tk_a_b"),)


def test_outcomes_and_the_guard_trust_whom_spans_trust() -> None:
    """One certificate authority and one client certificate for all three, by OpenTelemetry's variables."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://tocsin.internal:4317",
        "TOCSIN_GUARD_ENDPOINT": "https://tocsin.internal:8015",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "ca.pem",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": "me.key",
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "me.pem",
    }

    settings = Settings.read(environ)

    files = TlsFiles(authority="ca.pem", client_certificate="me.pem", client_key="me.key")
    assert settings.outcomes.files == settings.guard.files == files
    assert Settings.read({**environ, "TOCSIN_GUARD_ENDPOINT": "http://127.0.0.1:8015"}).guard.files is None

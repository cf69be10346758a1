"""gRPC channels to the collector and the guard. Imported when first needed: gRPC is most of the SDK's import cost."""

from pathlib import Path
from typing import Any, Final

import grpc

from tocsin._process.settings import Address, TlsFiles

_OPTIONS: Final = (
    ("grpc.enable_http_proxy", 0),  # a corporate proxy variable must not capture loopback
    ("grpc.keepalive_time_ms", 30_000),  # a stream whose peer vanished is noticed
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


def open_channel(address: Address) -> grpc.Channel:
    """Open a channel; nothing is sent before the first call."""
    if address.secure:
        return grpc.secure_channel(address.target, _credentials(address.files or TlsFiles()), options=_OPTIONS)
    return grpc.insecure_channel(address.target, options=_OPTIONS)


def _credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    def read(path: str) -> bytes | None:
        return Path(path).read_bytes() if path else None

    return grpc.ssl_channel_credentials(read(files.authority), read(files.client_key), read(files.client_certificate))


def retry_delay_s(error: Any) -> float | None:
    """Read how long a server asks us to wait, from ``google.rpc.retryinfo-bin``; None when it does not say."""
    from google.rpc.error_details_pb2 import RetryInfo

    for key, value in error.trailing_metadata() or ():
        if key == "google.rpc.retryinfo-bin":
            delay = RetryInfo.FromString(value).retry_delay
            return float(delay.seconds) + float(delay.nanos) / 1e9
    return None

"""gRPC channels to the collector and the guard. Imported when first needed: gRPC is most of the SDK's import cost."""

from pathlib import Path
from typing import Any, Final

import grpc

from tocsin._process.settings import Address, TlsFiles

_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 30_000),  # a stream whose peer vanished is noticed
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 5_000),  # how long one attempt to connect may take, at the least
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


_NO_PROXY: Final = ("grpc.enable_http_proxy", 0)  # a corporate proxy variable must not capture loopback
_LOOPBACK: Final = ("127.", "localhost", "[::1]", "unix:")


def open_channel(address: Address, *, through_proxy: bool = False) -> grpc.Channel:
    """Open a channel; nothing is sent before the first call."""
    proxied = through_proxy and not address.target.startswith(_LOOPBACK)
    options = _OPTIONS if proxied else (*_OPTIONS, _NO_PROXY)
    if address.secure:
        return grpc.secure_channel(address.target, _credentials(address.files or TlsFiles()), options=options)
    return grpc.insecure_channel(address.target, options=options)


def _credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    def read(path: str) -> bytes | None:
        return Path(path).read_bytes() if path else None

    return grpc.ssl_channel_credentials(read(files.authority), read(files.client_key), read(files.client_certificate))


def retry_delay_s(error: Any) -> float | None:
    """Read how long a server asks us to wait, from either trailer that may say so; None when it does not say."""
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    trailers = dict(error.trailing_metadata() or ())
    info = RetryInfo()
    if isinstance(said := trailers.get("google.rpc.retryinfo-bin"), bytes):
        info.ParseFromString(said)
    elif isinstance(said := trailers.get("grpc-status-details-bin"), bytes):
        unpacked = any(detail.Unpack(info) for detail in Status.FromString(said).details)
        if not unpacked:
            return None
    else:
        return None
    return float(info.retry_delay.seconds) + float(info.retry_delay.nanos) / 1e9

"""Certificates as listeners use them: read again when their files change, since those are renewed every few weeks."""

import logging
import ssl
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import grpc

from tocsin_collector.errors import TlsError
from tocsin_collector.receive.tls import TlsContents, TlsFiles

_log = logging.getLogger(__name__)
_Stamp = tuple[tuple[int, int], ...]


class Certificates:
    """The files of one listener. A renewal that cannot be used leaves the last good ones in use, and is told once."""

    def __init__(self, files: TlsFiles, *, now: Callable[[], datetime]) -> None:
        """Read the files.

        Raises:
            TlsError: they cannot be used.
        """
        self._files = files
        self._now = now
        self._lock = threading.Lock()
        self._stamp = self._look()
        self.contents = files.read(now=now())

    @property
    def wants_clients(self) -> bool:
        """Whether only clients with a certificate are let in."""
        return self._files.client_ca is not None

    def renewed(self) -> TlsContents | None:
        """Give the files' new contents when they have changed since this was last asked. Costs three ``stat``."""
        with self._lock:
            stamp = self._look()
            if stamp == self._stamp:
                return None
            self._stamp = stamp
            try:
                self.contents = self._files.read(now=self._now())
            except TlsError as error:  # perhaps one of two files is written: the next handshake looks again
                _log.warning("the certificate's files changed and cannot be used; the last good ones stay: %s", error)
                return None
            _log.info("the certificate %s was renewed", self._files.certificate)
            return self.contents

    def _look(self) -> _Stamp:
        stamps = []
        for path in (self._files.certificate, self._files.private_key, self._files.client_ca):
            try:
                found = path.stat() if path else None
            except OSError:
                found = None
            stamps.append((found.st_mtime_ns, found.st_ino) if found else (0, 0))
        return tuple(stamps)


def grpc_credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Make a gRPC listener's credentials; every handshake shows the certificate that is in the files then."""

    def configuration(contents: TlsContents) -> Any:
        return grpc.ssl_server_certificate_configuration(
            [(contents.private_key, contents.certificate)], root_certificates=contents.client_ca
        )

    def fetch() -> Any | None:
        renewed = certificates.renewed()
        return configuration(renewed) if renewed else None

    return grpc.dynamic_ssl_server_credentials(
        configuration(certificates.contents), fetch, require_client_authentication=certificates.wants_clients
    )


def https_context(files: TlsFiles, *, now: Callable[[], datetime]) -> ssl.SSLContext:
    """Make an HTTP listener's context; every handshake shows the certificate that is in the files then.

    Raises:
        TlsError: the files cannot be used.
    """
    certificates = Certificates(files, now=now)
    current = _context(files)

    def choose(connection: ssl.SSLObject, _name: str | None, _context_of_start: ssl.SSLContext) -> None:
        nonlocal current
        if certificates.renewed():
            current = _context(files)
        connection.context = current

    listening = _context(files)
    listening.sni_callback = choose  # called for every handshake, with or without a name
    return listening


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.private_key)
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context

"""The certificate that a receiver shows, and the authority whose clients it trusts: files, checked before they are used."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tocsin_collector.errors import TlsError

_SEQUENCE, _EXPLICIT_0, _UTC_TIME = 0x30, 0xA0, 0x17  # DER tags
_SKEW: Final = timedelta(minutes=5)  # a certificate made a moment ago on another clock


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Where the PEM files are; they may be replaced while they are in use."""

    certificate: Path  # the listener's own first, then its issuers
    private_key: Path
    client_ca: Path | None = None  # given: only clients with a certificate of this authority are let in

    def read(self, *, now: datetime) -> "TlsContents":
        """Read and check all of it.

        Raises:
            TlsError: a file is missing, not PEM, does not fit another, or the certificate is not valid now.
        """
        certificate = _read(self.certificate, "tls.certificate", b"CERTIFICATE")
        private_key = _read(self.private_key, "tls.private_key", b"PRIVATE KEY")
        client_ca = None if self.client_ca is None else _read(self.client_ca, "tls.client_ca", b"CERTIFICATE")
        self._check_pair()
        self._check_time(certificate, now)
        if self.client_ca is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(self.client_ca)
            except ssl.SSLError as error:
                raise TlsError(
                    f"expected the certificates of an authority in {self.client_ca} (tls.client_ca), but {_said(error)}"
                ) from error
        return TlsContents(certificate=certificate, private_key=private_key, client_ca=client_ca)

    def _check_pair(self) -> None:
        def refuse_password() -> str:
            raise TlsError(
                f"expected a private key without a password in {self.private_key} (tls.private_key): a collector "
                f"restarts with nobody there to type it; protect the file instead"
            )

        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self.certificate, self.private_key, password=refuse_password
            )
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise TlsError(
                    f"expected the private key of the certificate {self.certificate}, but {self.private_key} is another's: "
                    f"give the two that were issued together (tls.certificate, tls.private_key)"
                ) from error
            raise TlsError(
                f"expected a PEM certificate in {self.certificate} and its PEM key in {self.private_key}, but {_said(error)}"
            ) from error

    def _check_time(self, certificate: bytes, now: datetime) -> None:
        since, until = _validity(certificate, self.certificate)
        if now >= until:
            raise TlsError(
                f"expected a certificate that is valid now in {self.certificate}, but it expired on "
                f"{until:%Y-%m-%d %H:%M} UTC: renew it"
            )
        if now < since - _SKEW:
            raise TlsError(
                f"expected a certificate that is valid now in {self.certificate}, but it begins on "
                f"{since:%Y-%m-%d %H:%M} UTC: look at this machine's clock"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsContents:
    """The files' PEM texts, read together and found good."""

    certificate: bytes
    private_key: bytes
    client_ca: bytes | None

    def __repr__(self) -> str:
        return "TlsContents(…)"  # a private key never reaches a log


def _read(path: Path, key: str, holds: bytes) -> bytes:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise TlsError(
            f"expected a PEM file at {path} ({key}), but {error.strerror}: mend the path or the rights"
        ) from error
    if b"-----BEGIN " not in text or holds + b"-----" not in text:
        raise TlsError(
            f"expected PEM with a {holds.decode().lower()} in {path} ({key}), found no '-----BEGIN … {holds.decode()}-----'"
        )
    return text


def _validity(pem: bytes, path: Path) -> tuple[datetime, datetime]:
    """Find a certificate's first and last moment: all that is needed of it, so no library for the rest.

    Source: RFC 5280, section 4.1: Certificate → tbsCertificate → [0] version, serial, algorithm, issuer, validity.
    """
    start = pem.index(b"-----BEGIN CERTIFICATE-----") if b"-----BEGIN CERTIFICATE-----" in pem else 0
    try:
        end = pem.index(b"-----END CERTIFICATE-----", start) + len(b"-----END CERTIFICATE-----")
        der = ssl.PEM_cert_to_DER_cert(pem[start:end].decode("ascii"))
        _, place, _ = _element(der, 0)
        _, place, _ = _element(der, place)
        tag, _, after = _element(der, place)
        for _ in range(4 if tag == _EXPLICIT_0 else 3):  # to the validity: version is optional
            place = after
            tag, _, after = _element(der, place)
        _, place, _ = _element(der, place)
        since, after = _time(der, place)
        until, _ = _time(der, after)
    except (ValueError, IndexError) as error:
        raise TlsError(f"expected an X.509 certificate first in {path} (tls.certificate), but {error}") from error
    return since, until


def _element(der: bytes, place: int) -> tuple[int, int, int]:
    """Give an element's tag, where its content starts, and where the next element does."""
    tag, length = der[place], der[place + 1]
    content = place + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[content : content + size], "big")
        content += size
    return tag, content, content + length


def _time(der: bytes, place: int) -> tuple[datetime, int]:
    tag, content, after = _element(der, place)
    text = der[content:after].decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: 1950 to 2049
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC), after


def _said(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()

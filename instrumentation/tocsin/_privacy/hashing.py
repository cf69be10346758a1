"""Values that must not leave but must stay equal to themselves: keyed hashes."""

import hashlib
from typing import Final

from tocsin._calls.values import Scalar

MARK: Final = "h1:"  # the first way of hashing; another would be told apart
_DIGEST_BYTES: Final = 10  # 80 bits: two of a billion values are alike once in a million


def hashed(value: Scalar, salt: bytes) -> str:
    """Hash a value under a secret: the same value is the same hash in every process that has the secret.

    Numbers, booleans and texts of the same look hash alike, so that 7 and "7" are one customer.

    Source:
        RFC 7693 (BLAKE2), keyed mode.
    """
    if isinstance(value, str) and value.startswith(MARK) and len(value) == len(MARK) + 2 * _DIGEST_BYTES:
        return value  # it is one
    key = hashlib.blake2b(salt, digest_size=32, person=b"tocsin-salt").digest()
    written = str(value).encode("utf-8", "surrogatepass")
    return MARK + hashlib.blake2b(written, key=key, digest_size=_DIGEST_BYTES, person=b"tocsin-hash").hexdigest()

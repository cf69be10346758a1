"""CityHash128 of version 1.0.2: the checksum of ClickHouse's compressed blocks. Later versions hash otherwise.

Source:
    Pike and Alakuijala (2011), CityHash, published by Google under the MIT licence.
"""

from struct import unpack_from
from typing import Final

_M: Final = (1 << 64) - 1
_K0: Final = 0xC3A5C85C97CB3127
_K1: Final = 0xB492B66FBE98F273
_K2: Final = 0x9AE16A3B2F90404F
_K3: Final = 0xC949D7C7509E6557
_MUL: Final = 0x9DDFEA08EB382D69


def checksum(data: bytes) -> bytes:
    """Hash at least 8 bytes to 16."""
    size = len(data)
    if size >= 16:
        first, second = unpack_from("<QQ", data)
        low, high = _with_seed(data[16:], first ^ _K3, second)
    else:
        (first,), (last,) = unpack_from("<Q", data), unpack_from("<Q", data, size - 8)
        low, high = _with_seed(b"", first ^ (size * _K0 & _M), last ^ _K1)
    return low.to_bytes(8, "little") + high.to_bytes(8, "little")


def _with_seed(data: bytes, x: int, y: int) -> tuple[int, int]:
    size = len(data)
    if size < 128:
        return _murmur(data, x, y)
    z = size * _K1 & _M
    words = unpack_from(f"<{size // 8}Q", data)
    v0 = (_rotate(y ^ _K1, 49) * _K1 + words[0]) & _M
    v1 = (_rotate(v0, 42) * _K1 + words[1]) & _M
    w0 = (_rotate((y + z) & _M, 35) * _K1 + x) & _M
    w1 = _rotate((x + words[11]) & _M, 53) * _K1 & _M
    for at in range(0, size // 128 * 16, 8):
        x = (_rotate((x + y + v0 + words[at + 2]) & _M, 37) * _K1 & _M) ^ w1
        y = (_rotate((y + v1 + words[at + 6]) & _M, 42) * _K1 & _M) ^ v0
        z = _rotate(z ^ w0, 33)
        v0, v1 = _weak(words[at : at + 4], v1 * _K1 & _M, (x + w0) & _M)
        w0, w1 = _weak(words[at + 4 : at + 8], (z + w1) & _M, y)
        z, x = x, z
    y = (y + _rotate(w0, 37) * _K0 + z) & _M
    x = (x + _rotate((v0 + z) & _M, 49) * _K0) & _M
    left = size % 128
    for done in range(32, left + 32, 32):  # the last piece may reach back into what is hashed already
        piece = unpack_from("<4Q", data, size - done)
        y = (_rotate((y - x) & _M, 42) * _K0 + v1) & _M
        w0 = (w0 + piece[2]) & _M
        x = (_rotate(x, 49) * _K0 + w0) & _M
        w0 = (w0 + v0) & _M
        v0, v1 = _weak(piece, v0, v1)
    x = _fold(x, v0)
    y = _fold(y, w0)
    return (_fold((x + v1) & _M, w1) + y) & _M, _fold((x + w1) & _M, (y + v1) & _M)


def _murmur(data: bytes, a: int, b: int) -> tuple[int, int]:
    size = len(data)
    if size <= 16:
        a = _mix(a * _K1 & _M) * _K1 & _M
        c = (b * _K1 + _short(data)) & _M
        d = _mix((a + (unpack_from("<Q", data)[0] if size >= 8 else c)) & _M)
    else:
        c = _fold((unpack_from("<Q", data, size - 8)[0] + _K1) & _M, a)
        d = _fold((b + size) & _M, (c + unpack_from("<Q", data, size - 16)[0]) & _M)
        a = (a + d) & _M
        for at in range(0, (size - 1) // 16 * 16, 16):
            first, second = unpack_from("<QQ", data, at)
            a = (a ^ (_mix(first * _K1 & _M) * _K1 & _M)) * _K1 & _M
            b ^= a
            c = (c ^ (_mix(second * _K1 & _M) * _K1 & _M)) * _K1 & _M
            d ^= c
    a, b = _fold(a, c), _fold(d, b)
    return a ^ b, _fold(b, a)


def _short(data: bytes) -> int:
    size = len(data)
    first: int
    last: int
    if size > 8:
        (first,), (last,) = unpack_from("<Q", data), unpack_from("<Q", data, size - 8)
        return _fold(first, _rotate((last + size) & _M, size)) ^ last
    if size >= 4:
        (first,), (last,) = unpack_from("<I", data), unpack_from("<I", data, size - 4)
        return _fold(size + (first << 3), last)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _mix((y * _K2 ^ z * _K3) & _M) * _K2 & _M
    return _K2


def _weak(words: tuple[int, ...], a: int, b: int) -> tuple[int, int]:
    w, x, y, z = words
    a = (a + w) & _M
    b = _rotate((b + a + z) & _M, 21)
    c = a
    a = (a + x + y) & _M
    return (a + z) & _M, (b + _rotate(a, 44) + c) & _M


def _rotate(value: int, bits: int) -> int:
    return (value >> bits | value << (64 - bits)) & _M


def _mix(value: int) -> int:
    return value ^ value >> 47


def _fold(low: int, high: int) -> int:
    a = _mix((low ^ high) * _MUL & _M)
    b = _mix((high ^ a) * _MUL & _M)
    return b * _MUL & _M

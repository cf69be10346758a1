"""Which calls' content is sent although content is not: picked by a hash of the call's id, so that every process agrees."""

import hashlib
from dataclasses import dataclass
from typing import Final

_WHOLE: Final = float(2**64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Why a call was picked, and how likely that was."""

    reason: str  # one of attributes.REVIEW_PICKS
    share: float


def position(call_id: str, purpose: str) -> float:
    r"""Place a call in [0, 1), evenly, by its id alone; a larger share keeps every call of a smaller one.

    In SQL: reinterpretAsUInt64(reverse(left(SHA256(concat('tocsin.', purpose, '.v1\n', call_id)), 8))) / 18446744073709551616
    """
    digest = hashlib.sha256(f"tocsin.{purpose}.v1\n{call_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / _WHOLE


def pick(call_id: str, *, review_share: float, example_share: float) -> Pick | None:
    """Pick a call for review, or as an example for alerts; None for the others, and for a call without an id."""
    if not call_id:
        return None
    if review_share > 0 and position(call_id, "review") < review_share:
        return Pick(reason="review", share=review_share)
    if example_share > 0 and position(call_id, "example") < example_share:
        return Pick(reason="example", share=example_share)
    return None

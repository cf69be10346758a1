"""What a request to the judge can cost at most, and what it did cost. Pure.

Nothing is asked whose price is unknown: a cap that cannot be kept is none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Final

from tocsin_collector.correct.prices import AgreedPrice, Catalogue, UnitPrice
from tocsin_console.errors import UsageProblem

_PER_MESSAGE: Final = 16  # tokens that a chat's frame adds to each message, generously
_MICRO: Final = Decimal("0.000000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The prices of one model, by the input tokens from which they hold."""

    prices: Sequence[UnitPrice]

    def most(self, texts: Sequence[str], *, output_tokens: int, seconds: float) -> Decimal:
        """Bound the cost of a request: no token of a text is shorter than a byte of it."""
        tokens = sum(len(text.encode()) + _PER_MESSAGE for text in texts)
        return max(_cost(price, tokens, output_tokens, seconds) for price in self.prices if price.input_above <= tokens)

    def actual(self, *, input_tokens: int, output_tokens: int, seconds: float) -> Decimal:
        """Give the cost by the tokens that the answer reports."""
        held = [price for price in self.prices if price.input_above <= input_tokens]
        return _cost(max(held, key=lambda price: price.input_above), input_tokens, output_tokens, seconds)


def tariff(
    model: str,
    *,
    provider: str,
    currency: str,
    agreed: Sequence[AgreedPrice],
    catalogue: Callable[[], Catalogue],
    now: datetime,
) -> Tariff:
    """Find what a model costs: as agreed in tocsin.yaml, else by the public list.

    Raises:
        UsageProblem: nobody knows, or it is priced in another currency than the cap.
    """
    own = [one.price for one in agreed if one.covers(provider, model) and one.price.valid_from <= now][:1]
    held = own or _in_force(catalogue().find(provider, model), now)
    if not held or not any(price.input_above == 0 for price in held):
        raise UsageProblem(
            f"expected a price of the judge's model {model!r}, found none, and without one its cap cannot be kept:"
            f" add {{model: {model}, currency: {currency}, input_per_mtok: …, output_per_mtok: …}} to prices in tocsin.yaml"
        )
    if other := sorted({price.currency for price in held} - {currency}):
        raise UsageProblem(
            f"expected the price of {model!r} in {currency} as the judge's cap is, got {other[0]}: set judge.currency to {other[0]}"
        )
    return Tariff(prices=held)


def _in_force(listed: Sequence[UnitPrice], now: datetime) -> list[UnitPrice]:
    begun = [price for price in listed if price.valid_from <= now]
    newest = max((price.valid_from for price in begun), default=None)
    return [price for price in begun if price.valid_from == newest]


def _cost(price: UnitPrice, input_tokens: int, output_tokens: int, seconds: float) -> Decimal:
    def of(amount: float | None, times: Decimal) -> Decimal:
        return Decimal(str(amount or 0.0)) * times

    million = Decimal(1_000_000)
    total = of(price.input_per_mtok, input_tokens / million) + of(price.output_per_mtok, output_tokens / million)
    total += of(price.per_call, Decimal(1)) + of(price.per_second, Decimal(str(seconds)))
    return total.quantize(_MICRO, rounding=ROUND_UP)

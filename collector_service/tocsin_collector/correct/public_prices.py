"""The public price list of genai-prices, as shipped with the installed version: nothing is fetched."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from importlib import metadata
from typing import Any, Final

from tocsin_collector.correct.prices import UnitPrice

_PER_MTOK: Final = {
    "input_per_mtok": "input_mtok",
    "output_per_mtok": "output_mtok",
    "cache_read_per_mtok": "cache_read_mtok",
    "cache_write_per_mtok": "cache_write_mtok",
}


class PublicPrices:
    """What a span tells, priced: tokens, cached tokens, requests; searches, pages, images and audio are not on spans."""

    def __init__(self, *, today: date) -> None:
        """Load the list: 0.2 s and some 30 MB, so once.

        Args:
            today: Changes that it announces for later days do not make it younger.
        """
        from genai_prices import data_snapshot  # noqa: PLC0415 - see above

        self._snapshot = data_snapshot.get_snapshot()
        starts = [
            start
            for provider in self._snapshot.providers
            for model in provider.models
            for start, _ in _dated(model.prices)
            if start is not None and start <= today
        ]
        self.version: str = f"genai-prices {metadata.version('genai-prices')}"
        self.dated: date = max(starts, default=date(1970, 1, 1))

    def find(self, provider: str, model: str) -> Sequence[UnitPrice]:
        """Find a model as the library does: by its rules for providers and names, which know aliases and dates."""
        try:
            _, found = self._snapshot.find_provider_model(model, None, provider or None, None)
        except LookupError:
            return ()
        return [price for start, prices in _dated(found.prices) for price in _prices(start, prices)]


def _dated(prices: Any) -> Iterator[tuple[date | None, Any]]:
    """Give each price with the day from which it holds; what holds at some hours of the day only is left out."""
    if not isinstance(prices, list):
        yield None, prices
        return
    for each in prices:
        if each.constraint is None:
            yield None, each.prices
        elif hasattr(each.constraint, "start_date"):
            yield each.constraint.start_date, each.prices


def _prices(start: date | None, prices: Any) -> Iterator[UnitPrice]:
    said = {name: getattr(prices, key) for name, key in _PER_MTOK.items()}
    thousand = _at(getattr(prices, "requests_kcount", None), 0)
    per_call = None if thousand is None else thousand / 1000
    if said["input_per_mtok"] is None and said["output_per_mtok"] is None and per_call is None:
        return
    valid_from = datetime.combine(start or date(1970, 1, 1), time(), tzinfo=UTC)
    steps = {tier.start for price in said.values() for tier in getattr(price, "tiers", ())}
    for step in sorted({0, *(above + 1 for above in steps)}):
        amounts: dict[str, Any] = {name: _at(price, step) for name, price in said.items()}
        yield UnitPrice(valid_from=valid_from, input_above=step, per_call=per_call, **amounts)


def _at(price: Any, tokens: int) -> float | None:
    """Read a price for calls of so many input tokens: crossing a step applies its price to the whole call."""
    if price is None:
        return None
    reached = [tier for tier in getattr(price, "tiers", ()) if tokens > tier.start]
    if reached:
        return float(max(reached, key=lambda tier: tier.start).price)
    return float(getattr(price, "base", price))

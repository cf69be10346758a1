"""Prices: found by the names that calls give, dated, overridden by what a team agreed, filled in afterwards."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.collector.conftest import NOW
from tests.collector.test_corrections import INNER, OUTER, agree
from tests.collector.test_normalisation import span_segment, spans

from tocsin_collector.correct.call_keeper import CallKeeper
from tocsin_collector.correct.prices import AgreedPrice, UnitPrice, age_days, sync
from tocsin_collector.correct.public_prices import PublicPrices
from tocsin_collector.load.stores import EmbeddedStore
from tocsin_collector.store.database import Database

EVER = datetime(1970, 1, 1, tzinfo=UTC)
TODAY = date(2026, 3, 2)


class Listed:
    """A public list of one model."""

    version = "genai-prices 1"
    dated = TODAY

    def __init__(self, *prices: UnitPrice, version: str = "genai-prices 1") -> None:
        self.prices = prices
        self.version = version

    def find(self, provider: str, model: str) -> Sequence[UnitPrice]:
        """Find it."""
        return self.prices if (provider, model) == ("openai", "gpt-4o-2024-08-06") else ()


LATER = {**INNER, "_span": 9, "_start_ms": 20, "gen_ai.response.id": "later"}
PUBLIC = UnitPrice(input_per_mtok=2.5, output_per_mtok=10.0, cache_read_per_mtok=1.25)


def costs(database: Database) -> list[tuple[Decimal | None, str, str]]:
    """Read what calls cost."""
    rows = database.rows("SELECT cost, currency, price_version FROM ai_calls ORDER BY started_at")
    return [(row["cost"], row["currency"], row["price_version"]) for row in rows]


def test_model_seen_first_is_priced_with_the_calls_before_it(database: Database, tmp_path: Path) -> None:
    """Nobody lists their models beforehand; the first calls' cost must not be lost for that."""
    store = EmbeddedStore(database)
    store.insert(span_segment(tmp_path, spans(INNER), number=1))

    synced = sync(database, Listed(PUBLIC), [], since=EVER, now=NOW)
    store.insert(span_segment(tmp_path, spans(LATER), number=2))

    assert (synced.changed, synced.priced_calls, synced.unknown) == (1, 1, ())
    assert costs(database) == [(Decimal("0.00179"), "USD", "genai-prices 1")] * 2
    agree(database)


def test_model_that_no_list_knows_stays_unpriced_and_is_named(database: Database, tmp_path: Path) -> None:
    """An unknown cost is never 0, and somebody should hear of it."""
    EmbeddedStore(database).insert(span_segment(tmp_path, spans({**INNER, "gen_ai.response.model": "gpt-99"})))

    synced = sync(database, Listed(PUBLIC), [], since=EVER, now=NOW)

    assert synced.unknown == ("openai/gpt-99",)
    assert costs(database) == [(None, "", "")]


def test_agreed_price_overrides_the_public_one(database: Database, tmp_path: Path) -> None:
    """Euros stay euros: what was agreed in another currency is never added to dollars."""
    store = EmbeddedStore(database)
    agreed = [AgreedPrice(model="gpt-4o*", price=UnitPrice(currency="EUR", input_per_mtok=1.0, output_per_mtok=0.0))]
    store.insert(span_segment(tmp_path, spans(INNER), number=1))
    sync(database, Listed(PUBLIC), [], since=EVER, now=NOW)
    sync(database, Listed(PUBLIC), agreed, since=EVER, now=NOW + timedelta(seconds=1))

    store.insert(span_segment(tmp_path, spans(LATER), number=2))

    assert costs(database) == [
        (Decimal("0.00179"), "USD", "genai-prices 1"),
        (Decimal("0.0012"), "EUR", "negotiated 1970-01-01"),
    ]
    daily = database.rows("SELECT currency, known_cost FROM cost_daily ORDER BY currency")
    assert [row["currency"] for row in daily if row["known_cost"]] == ["EUR", "USD"]


def test_agreed_price_that_was_taken_out_holds_no_longer(database: Database, tmp_path: Path) -> None:
    """tocsin.yaml is the whole truth about what was agreed."""
    store = EmbeddedStore(database)
    local = [AgreedPrice(model="gpt-4o-2024-08-06", provider="openai", price=UnitPrice(currency="EUR", per_second=1.0))]
    sync(database, Listed(), local, since=EVER, now=NOW)
    store.insert(span_segment(tmp_path, spans(INNER), number=1))
    withdrawn = sync(database, Listed(), [], since=EVER, now=NOW + timedelta(seconds=1)).withdrawn
    store.insert(span_segment(tmp_path, spans(LATER), number=2))

    assert withdrawn == 1
    assert costs(database) == [(Decimal("0.005"), "EUR", "local 1970-01-01"), (None, "", "")]


def test_new_version_of_the_list_is_stamped_on_later_calls_only(database: Database, tmp_path: Path) -> None:
    """A figure in last month's report must not change because a package was updated."""
    store = EmbeddedStore(database)
    store.insert(span_segment(tmp_path, spans(INNER), number=1))
    sync(database, Listed(PUBLIC), [], since=EVER, now=NOW)
    dearer = UnitPrice(input_per_mtok=5.0, output_per_mtok=10.0, cache_read_per_mtok=1.25)
    sync(database, Listed(dearer, version="genai-prices 2"), [], since=EVER, now=NOW + timedelta(seconds=1))
    store.insert(span_segment(tmp_path, spans(LATER), number=2))

    assert [version for _, _, version in costs(database)] == ["genai-prices 1", "genai-prices 2"]
    assert sync(database, Listed(dearer, version="genai-prices 2"), [], since=EVER, now=NOW).changed == 0


def test_keeper_settles_and_prices_what_arrived(database: Database, tmp_path: Path) -> None:
    """Evaluators run next: they must see one call, and its cost once."""
    EmbeddedStore(database).insert(span_segment(tmp_path, spans(OUTER, INNER)))
    keeper = CallKeeper(database, (), catalogue=lambda: Listed(PUBLIC), now=lambda: datetime.now(UTC))

    for _ in range(2):
        keeper.settle()
        keeper.price()

    assert costs(database) == [(Decimal("0.00179"), "USD", "genai-prices 1")]
    agree(database)


def test_list_is_called_old_after_sixty_days() -> None:
    """Prices change monthly; nobody should trust a list of last year without being told."""
    assert age_days(TODAY, now=datetime(2026, 5, 1, tzinfo=UTC)) is None
    assert age_days(TODAY, now=datetime(2026, 5, 2, tzinfo=UTC)) == 61


@pytest.fixture(scope="module")
def public() -> PublicPrices:
    """Load it once."""
    return PublicPrices(today=date(2100, 1, 1))


class TestThePublicList:
    """genai-prices, as installed."""

    @pytest.mark.parametrize(
        ("provider", "model"),
        [
            ("openai", "gpt-4o-2024-08-06"),
            ("azure.ai.openai", "gpt-4o"),
            ("anthropic", "claude-sonnet-4-5-20250929"),
            ("aws.bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0"),
            ("gcp.gemini", "gemini-2.5-pro"),
            ("", "gpt-4o"),
        ],
    )
    def test_names_as_calls_give_them_are_found(self, public: PublicPrices, provider: str, model: str) -> None:
        """Instrumentations write dates, prefixes and clouds into the names."""
        found = public.find(provider, model)

        assert found
        assert all(price.input_per_mtok and price.output_per_mtok for price in found)

    def test_unknown_model_has_no_price(self, public: PublicPrices) -> None:
        """The library raises; here nothing is known, which is no error."""
        assert public.find("openai", "no-such-model") == ()
        assert public.find("no-such-provider", "gpt-4o") == ()

    def test_long_prompts_have_a_price_of_their_own(self, public: PublicPrices) -> None:
        """Some providers charge the whole call more from 200,000 input tokens on."""
        short, long = public.find("gcp.gemini", "gemini-2.5-pro")[:2]

        assert (short.input_above, long.input_above) == (0, 200_001)
        assert (short.input_per_mtok or 0) < (long.input_per_mtok or 0)

    def test_it_says_how_it_is_dated(self, public: PublicPrices) -> None:
        """Its age is what a reader needs to judge a cost by."""
        assert public.version.startswith("genai-prices ")
        assert public.dated > date(2025, 1, 1)

"""The price list as people and scripts see it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from tests.collector.test_normalisation import price
from tests.console.conftest import NOW, Running

from tocsin_console.sections.money import PriceSection

Tocsin = Callable[..., Any]


@pytest.fixture
def listed(running: Running) -> Running:
    """A store with a price and a call that has none."""
    running.database.insert(
        "prices", [price(model="gpt-4o", input_per_mtok=2.5, dated=(NOW - timedelta(days=61)).date())]
    )
    return running


@pytest.mark.usefixtures("listed")
def test_list_says_what_models_cost_and_how_old_it_is(tocsin: Tocsin) -> None:
    """A cost is as good as the list behind it; after 60 days its age is said."""
    result = tocsin("prices", "ls")
    document = json.loads(tocsin("prices", "ls", "--json").stdout)

    assert "gpt-4o" in result.stdout
    assert "61 days old" in result.stdout
    assert document["age_days"] == 61
    assert document["prices"][0]["input_per_mtok"] == 2.5


@pytest.mark.usefixtures("running")
def test_sync_says_which_models_have_no_price(tocsin: Tocsin) -> None:
    """That is what somebody has to write into tocsin.yaml."""
    assert "openai/gpt-99" in tocsin("prices", "sync").stdout
    assert json.loads(tocsin("prices", "sync", "--json").stdout)["changed"] == 1


@pytest.mark.parametrize(
    "said",
    [{}, {"currency": "euro", "per_call": 1}, {"currency": "EUR", "per_call": -1}, {"currency": "EUR", "per_token": 1}],
)
def test_price_that_is_none_is_refused_where_it_is_written(said: dict[str, Any]) -> None:
    """A typo must not cost nothing silently."""
    with pytest.raises(ValidationError):
        PriceSection.model_validate({"model": "gpt-4o", **said})

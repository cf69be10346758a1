"""The price list: a row for every model that was seen, from what a team agreed or from the public list."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Any, Final, Protocol

from tocsin_collector.correct.corrections import price_calls
from tocsin_collector.store.database import Database

OLD_AFTER_DAYS: Final = 60  # from then on, the age of the list is shown
_ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KEY: Final = ("project", "provider", "model", "source", "valid_from", "input_above")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """What one model costs from a day on; None where the list says nothing."""

    currency: str = "USD"
    valid_from: datetime = _ALWAYS
    input_above: int = 0  # holds from this many input tokens on, for the whole call
    input_per_mtok: float | None = None
    output_per_mtok: float | None = None
    cache_read_per_mtok: float | None = None
    cache_write_per_mtok: float | None = None
    per_call: float | None = None
    per_second: float | None = None

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isupper():
            raise ValueError(f"expected a currency as three capitals, such as EUR, got {self.currency!r}")
        amounts = (self.input_per_mtok, self.output_per_mtok, self.per_call, self.per_second)
        if all(amount is None for amount in amounts):
            raise ValueError("expected a price per million tokens, per call or per second, got none")
        if any(amount is not None and not 0 <= amount < 1e9 for amount in amounts):
            raise ValueError("expected prices of 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedPrice:
    """What a team negotiated, or what its own machines cost."""

    model: str  # as calls say it; * and ? stand for anything
    provider: str = ""  # empty: any
    project: str = ""  # empty: all
    price: UnitPrice

    @property
    def source(self) -> str:
        """Local machines cost by call or second; what is billed by tokens was negotiated."""
        return (
            "negotiated" if self.price.input_per_mtok is not None or self.price.output_per_mtok is not None else "local"
        )

    def covers(self, provider: str, model: str) -> bool:
        """Say whether a call of this provider and model costs this."""
        return self.provider in ("", provider) and fnmatchcase(model.lower(), self.model.lower())


class Catalogue(Protocol):
    """A public price list."""

    @property
    def version(self) -> str:
        """Its name and version, as stamped on calls."""
        ...

    @property
    def dated(self) -> date:
        """The day up to which it knows of changes."""
        ...

    def find(self, provider: str, model: str, /) -> Sequence[UnitPrice]:
        """Find a model's prices by the names that its calls give; none when it is unknown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What a look at the list came to."""

    changed: int = 0  # rows of the list
    withdrawn: int = 0
    priced_calls: int = 0  # calls whose cost was unknown before
    unknown: Sequence[str] = field(default_factory=tuple)  # provider/model that nobody has a price for


def sync(
    database: Database,
    catalogue: Catalogue,
    agreed: Sequence[AgreedPrice],
    *,
    since: datetime,
    now: datetime,
    shards: Sequence[Database] = (),
) -> Synced:
    """Write the prices of every model that was seen, and price the calls that came before them.

    Safe to be interrupted and run again. A call that has a price keeps it: what a list says later holds for later calls.

    Args:
        database: The store.
        catalogue: The public list.
        agreed: What tocsin.yaml says, first match first.
        since: Calls that arrived from then on are looked at; models that the list holds already are always.
        now: When the rows say they were written.
        shards: Where calls are corrected, if not in the store as a whole.

    Raises:
        StoreUnavailable: run it again.
    """
    seen = database.rows(
        "SELECT provider, model_name AS model, countIf(cost IS NULL) AS unpriced FROM ai_calls"
        " WHERE ingested_at >= {since:DateTime64(3)} AND model_name != '' GROUP BY provider, model",
        {"since": since},
    )
    held = {_key(row): row for row in database.rows("SELECT * FROM prices FINAL WHERE NOT is_withdrawn")}
    names = {(row["provider"], row["model"]) for row in (*seen, *held.values())}
    names |= {(one.provider, one.model) for one in agreed if one.provider and not set("*?[") & set(one.model)}
    wanted = {_key(row): row for name in sorted(names) for row in _rows_of(name, catalogue, agreed, now)}
    changed = [row for key, row in wanted.items() if key not in held or _said(row) != _said(held[key])]
    gone = [{**row, "is_withdrawn": 1, "updated_at": now} for key, row in held.items() if key not in wanted]
    database.insert("prices", [*changed, *gone])
    priced = {(key[1], key[2]) for key in wanted}
    fresh = {(row["provider"], row["model"]) for row in changed}
    lacking = {(row["provider"], row["model"]) for row in seen if row["unpriced"]}
    models = sorted({model for _, model in (fresh | lacking) & priced})
    filled = sum(price_calls(shard, models).written for shard in shards or [database])
    unknown = tuple(sorted("/".join(name) for name in lacking - priced))
    return Synced(changed=len(changed), withdrawn=len(gone), priced_calls=filled, unknown=unknown)


def age_days(dated: date, *, now: datetime) -> int | None:
    """Say how old a list is, once that is worth saying; None before."""
    days = (now.date() - dated).days
    return days if days > OLD_AFTER_DAYS else None


def _rows_of(
    name: tuple[str, str], catalogue: Catalogue, agreed: Sequence[AgreedPrice], now: datetime
) -> Iterator[dict[str, Any]]:
    provider, model = name
    common = {"provider": provider, "model": model, "is_withdrawn": 0, "updated_at": now}
    for price in catalogue.find(provider, model):
        source = {"source": "genai-prices", "source_version": catalogue.version, "dated": catalogue.dated}
        yield {"project": "", **common, **asdict(price), **source}
    for one in reversed(agreed):  # the last written row of a key holds: the first that the file names
        if one.covers(provider, model):
            version = f"{one.source} {one.price.valid_from:%Y-%m-%d}"
            source = {"source": one.source, "source_version": version, "dated": one.price.valid_from.date()}
            yield {"project": one.project, **common, **asdict(one.price), **source}


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "updated_at"}

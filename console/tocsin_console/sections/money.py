"""What models cost here, and the one that is asked by tocsin itself."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from tocsin_collector.correct.prices import AgreedPrice, UnitPrice
from tocsin_console.sections.section import Section


class PriceSection(Section):
    """What a model costs here: negotiated per million tokens, or a machine of one's own per call or second."""

    model: str = Field(min_length=1)
    """The model as calls say it; `*` and `?` stand for anything."""
    provider: str = ""
    """The provider as calls say it; left out, any."""
    project: str = ""
    """The project whose price it is; left out, every project's."""
    currency: str
    """Three capitals, such as `EUR`; currencies are never added up."""
    valid_from: date | None = None
    """Day from which it holds; left out, always."""
    input_per_mtok: float | None = None
    """Price of a million input tokens; left out, they cost nothing."""
    output_per_mtok: float | None = None
    """Price of a million output tokens; left out, they cost nothing."""
    cache_read_per_mtok: float | None = None
    """Price of a million input tokens that the provider had cached; left out, as input."""
    cache_write_per_mtok: float | None = None
    """Price of a million input tokens that it put into its cache; left out, as input."""
    per_call: float | None = None
    """Price of one call, of a machine of your own; left out, nothing."""
    per_second: float | None = None
    """Price of one second of a call, of a machine of your own; left out, nothing."""

    @model_validator(mode="after")
    def _is_a_price(self) -> Self:
        self.agreed()
        return self

    def agreed(self) -> AgreedPrice:
        """Give the price that this stands for.

        Raises:
            ValueError: it stands for none.
        """
        said = self.model_dump(exclude={"model", "provider", "project", "valid_from"})
        if self.valid_from is not None:
            said["valid_from"] = datetime.combine(self.valid_from, time(), tzinfo=UTC)
        return AgreedPrice(
            model=self.model, provider=self.provider.lower(), project=self.project, price=UnitPrice(**said)
        )


class JudgeSection(Section):
    """The team's own model as a judge, over an OpenAI-compatible API. Without this section nothing is sent anywhere."""

    endpoint: str = Field(pattern="^https?://")
    """Address of the API, up to and with `/v1`."""
    model: str = Field(min_length=1)
    """The model that judges."""
    provider: str = ""
    """Its provider as the price list names it; without a price nothing is asked."""
    key: str = ""
    """The API's key, as `env:NAME` or `file:PATH`; left out, none is sent."""
    rubric: Path
    """File of the template that asks, as those of messages are; another text is another judge."""
    use_cases: tuple[str, ...] = ()
    """Use cases that are judged; left out, all."""
    per_day: int = Field(default=50, ge=1, le=10_000)
    """Calls of each use case that are judged a day."""
    cap_per_day: Decimal = Field(gt=0)
    """What all of them together may cost a day, in `currency`; never exceeded."""
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    """Currency of the cap and of the model's price."""
    max_output_tokens: int = Field(default=300, ge=16, le=100_000)
    """Tokens that one answer may have; what is set aside before each request counts on it."""
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the endpoint calls that limit."""
    timeout_s: float = Field(default=60.0, gt=0, le=600)
    """Seconds that one request may take."""

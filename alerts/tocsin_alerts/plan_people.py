"""What a plan says of when people work, what they do not want to hear, and who hears of what nobody took."""

from pydantic import BaseModel, ConfigDict, Field

from tocsin_alerts.durations import Duration
from tocsin_alerts.records import Severity
from tocsin_alerts.weekly import Weekly


class Mute(Weekly):
    """A time of the week at which alerts of some severities are not told; what still fires at its end is told then."""

    severities: tuple[Severity, ...] = Field(default=("ticket", "log"), min_length=1)
    """Severities that are not told then."""


class Step(BaseModel):
    """Who hears of a page that nobody has acknowledged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Duration
    """How long after people were told, while nobody has acknowledged it."""
    route: tuple[str, ...] = Field(min_length=1)
    """Channels that hear of it then, once."""

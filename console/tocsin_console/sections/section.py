"""What all sections have in common: an unknown key is refused. What stands below a key describes it in schemas."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping of tocsin.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

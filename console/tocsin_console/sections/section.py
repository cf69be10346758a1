"""What all sections have in common: an unknown key is refused, and what stands below a key describes it."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping of tocsin.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

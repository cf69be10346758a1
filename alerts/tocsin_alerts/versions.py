"""A model and prompt version of a use case: what a reference belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Version:
    """What a reference belongs to."""

    project: str
    use_case: str
    model_version: str
    prompt_version: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Version":
        """Read the four off a row."""
        return cls(
            project=row["project"],
            use_case=row["use_case"],
            model_version=row["model_version"],
            prompt_version=row["prompt_version"],
        )

    def as_params(self) -> dict[str, Any]:
        """Give the four as query parameters, or as the first columns of a row."""
        return {
            "project": self.project,
            "use_case": self.use_case,
            "model_version": self.model_version,
            "prompt_version": self.prompt_version,
        }

    def __str__(self) -> str:
        return " ".join(each for each in (self.model_version, self.prompt_version) if each) or "(no version)"

"""What outcomes claim of one call, and whether two of them contradict each other. Pure; `outcomes_contradictory` is the same in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tocsin_wire.v1.outcomes_pb2 import Outcome

_RIGHT_FROM = 0.5  # a score of this says that the answer was right


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one outcome says to be true."""

    label: str = ""
    value: float | None = None
    verdict: bool | None = None  # whether the answer was right: said, or concluded

    @classmethod
    def of(cls, outcome: Outcome, predicted: str = "") -> Self:
        """Read an outcome; with the call's own label a label is a verdict too."""
        verdict: bool | None = None
        if outcome.HasField("correct"):
            verdict = outcome.correct
        elif outcome.label and predicted:
            verdict = outcome.label == predicted
        elif outcome.HasField("score"):
            verdict = outcome.score >= _RIGHT_FROM
        value = outcome.value if outcome.WhichOneof("truth") == "value" else None
        return cls(label=outcome.label, value=value, verdict=verdict)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """Read a row of `outcomes`."""
        verdict = None if row["correct"] is None else bool(row["correct"])
        if verdict is None and row["score"] is not None:
            verdict = row["score"] >= _RIGHT_FROM
        return cls(label=row["label"], value=row["value"], verdict=verdict)

    def contradicts(self, other: "Claim") -> bool:
        """Tell whether both cannot be true: two labels, two values, or right and wrong."""
        return (
            bool(self.label and other.label and self.label != other.label)
            or (self.value is not None and other.value is not None and self.value != other.value)
            or (self.verdict is not None and other.verdict is not None and self.verdict != other.verdict)
        )

    def words(self) -> str:
        """Say it to a person."""
        if self.label:
            return repr(self.label)
        if self.value is not None:
            return f"{self.value:g}"
        return {True: "right", False: "wrong", None: "nothing"}[self.verdict]

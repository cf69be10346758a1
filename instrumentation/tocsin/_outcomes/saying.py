"""Whether an outcome says anything. Apart, since it is asked before anything of privacy is loaded."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin_wire.v1.outcomes_pb2 import Outcome


def says_something(outcome: "Outcome") -> bool:
    """Tell whether an outcome says anything of its call."""
    fields = ("score", "correct", "minutes")
    return bool(outcome.WhichOneof("truth") or outcome.comment or any(outcome.HasField(field) for field in fields))

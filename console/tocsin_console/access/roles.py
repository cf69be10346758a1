"""The roles, each of which may do what those before it may. Pure."""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

Role: TypeAlias = Literal["viewer", "reviewer", "operator", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
MAY: Final[dict[Role, str]] = {
    "viewer": "see everything but keys",
    "reviewer": "score outputs and record outcomes",
    "operator": "take alerts, silence, set guards, accept releases, run drills",
    "admin": "make keys, erase people, drop data",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks: a name, empty where nobody signs in, and a role, None where they have none."""

    name: str
    role: Role | None

    def may(self, needed: Role) -> bool:
        """Whether the role is enough."""
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(needed)


def role_of(said: Any) -> Role | None:
    """Give the role of that name; None: there is none."""
    return next((role for role in ROLES if role == said), None)

"""The policy of each use case, made once from the settings in force."""

from tocsin._privacy.policy import Policy
from tocsin._privacy.settings import Privacy
from tocsin._process.runtime import runtime


class Policies:
    """Policies by use case. Those that say the same are one object, with one set of compiled rules."""

    def __init__(self, privacy: Privacy) -> None:
        self.privacy = privacy
        self._made: dict[str, Policy] = {}

    def of(self, use_case: str | None) -> Policy:
        """Find the policy of a use case; None and unnamed ones have the default."""
        capture = self.privacy.by_use_case.get(use_case or "", self.privacy.capture)
        found = self._made.get(capture)
        if found is None:
            found = self._made[capture] = Policy.made(self.privacy, capture)
        return found


def policy(use_case: str | None) -> Policy:
    """Say what may leave of a use case's calls."""
    return runtime().policies.of(use_case)

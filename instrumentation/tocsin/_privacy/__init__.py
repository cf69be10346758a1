"""What may leave the process: the capture policy of each use case, redaction, hashing. Applied on the exporting thread."""

from tocsin._privacy.policies import policy
from tocsin._privacy.policy import Policy
from tocsin._privacy.settings import Privacy

__all__ = ["Policy", "Privacy", "policy"]

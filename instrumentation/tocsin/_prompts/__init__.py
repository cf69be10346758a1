"""What is measured of a prompt before anything is taken out of it."""

from tocsin._prompts.features import features
from tocsin._prompts.foreign import messages_of

__all__ = ["features", "messages_of"]

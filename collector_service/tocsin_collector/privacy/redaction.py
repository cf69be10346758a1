"""What is taken out of texts before they are stored: the rules that a service applies before it sends them."""

from tocsin_wire.redaction import KEPT_KEYS, PRESETS, Redaction

__all__ = ["KEPT_KEYS", "PRESETS", "Redaction"]

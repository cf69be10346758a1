"""The wire vocabulary: what the parts of tocsin say to each other, and nothing else.

Attribute keys, the outcome and call-handle messages, the flag-sync messages and the root error. Every other package
may import this one; it imports none of them.
"""

from tocsin_wire.errors import TocsinError
from tocsin_wire.handles import HandleError, pack_handle, unpack_handle

__all__ = ["HandleError", "TocsinError", "pack_handle", "unpack_handle"]

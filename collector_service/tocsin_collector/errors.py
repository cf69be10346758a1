"""What can go wrong in the collector, split by what the caller does next.

TocsinError
└── CollectorError
    ├── StoreUnavailable   try again: nothing, or all of it, may have been stored
    ├── StoreRejected      set aside: the same input will always be refused
    ├── StoreInUse         fix: another process holds the data folder
    └── SchemaError        fix: the tables are newer than this version, or were changed by hand
"""

from tocsin_wire import TocsinError


class CollectorError(TocsinError):
    """Something in the collector that a caller can act on."""


class StoreUnavailable(CollectorError):  # noqa: N818 - says what is so, as in the design's port
    """The store did not answer; try the same again later."""


class StoreRejected(CollectorError):  # noqa: N818 - as above
    """The store will always refuse this input; set it aside."""


class StoreInUse(CollectorError):  # noqa: N818 - as above
    """Another process holds the data folder; one process may open it."""


class SchemaError(CollectorError):
    """The tables are newer than this version of tocsin, or a migration was changed after it was applied."""

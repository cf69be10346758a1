"""What can go wrong in the collector, split by what the caller does next.

TocsinError
└── CollectorError
    ├── StoreUnavailable   try again: nothing, or all of it, may have been stored
    │   └── StoreUnfit     try again, and tell people: nothing can be stored before they mend it
    ├── StoreRejected      set aside: the same input will always be refused
    ├── StoreInUse         fix: another process holds the data folder
    ├── SchemaError        fix: the tables are newer than this version, or were changed by hand
    ├── AddressInUse       fix: another process listens there
    ├── TlsError           fix: a certificate, key or authority cannot be used
    ├── ForgetProblem      fix: what was asked to be forgotten is neither a user nor a call
    ├── BackupProblem      fix: a backup cannot be taken there, or restored over what is here
    ├── RuleProblem        fix: the engine cannot run a redaction rule
    ├── AdoptionProblem    fix: a table of others cannot be read as calls
    ├── KeyProblem         fix: what was asked of the ingest keys cannot be done
    ├── Unauthenticated    fix: the sender's ingest key is missing or none of ours
    ├── RequestRejected    fix: the sender's request will always be refused
    │   └── RequestTooLarge    fix: send smaller batches
    └── Overloaded         try again after the delay it names: nothing was stored
"""

from tocsin_wire import TocsinError


class CollectorError(TocsinError):
    """Something in the collector that a caller can act on."""


class StoreUnavailable(CollectorError):  # noqa: N818 - says what is so, as in the design's port
    """The store did not answer; try the same again later."""

    nothing_sent = False  # True: it is known that nothing of it is stored, since nothing was sent
    is_unknown = False  # True: it is stored, but not known to be on as many replicas as were asked for


class StoreUnfit(StoreUnavailable):
    """Tables, views, rights or room are such that everything would be refused, or lost in part: wait until they are mended."""


class StoreRejected(CollectorError):  # noqa: N818 - as above
    """The store will always refuse this input; set it aside."""


class StoreInUse(CollectorError):  # noqa: N818 - as above
    """Another process holds the data folder; one process may open it."""


class SchemaError(CollectorError):
    """The tables are newer than this version of tocsin, or a migration was changed after it was applied."""


class AddressInUse(CollectorError):  # noqa: N818 - as above
    """Another process listens on the address."""


class TlsError(CollectorError):
    """A certificate, private key or authority that cannot be used: missing, damaged, expired, or of another."""


class ForgetProblem(CollectorError):  # noqa: N818 - as above
    """What somebody asked to have forgotten is neither a user nor a call."""


class BackupProblem(CollectorError):  # noqa: N818 - as above
    """A backup that cannot be taken to where it was asked for, or cannot be restored over what is there."""


class RuleProblem(CollectorError):  # noqa: N818 - as above
    """A redaction rule that the engine cannot run."""


class AdoptionProblem(CollectorError):  # noqa: N818 - as above
    """A table of somebody else's that calls cannot be read from, or not in this way."""


class KeyProblem(CollectorError):  # noqa: N818 - as above
    """What somebody asked of the ingest keys cannot be done: a name, or an id that none has."""


class Unauthenticated(CollectorError):  # noqa: N818 - as above
    """The sender showed no ingest key where one is needed, or one that is none of ours. Never names the key."""


class RequestRejected(CollectorError):  # noqa: N818 - as above
    """A request that can never be taken: malformed, too large, or using fields that are ours."""


class RequestTooLarge(RequestRejected):
    """A request of more bytes than are taken."""


class Overloaded(CollectorError):  # noqa: N818 - as above
    """No room for this request now; nothing of it was kept."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

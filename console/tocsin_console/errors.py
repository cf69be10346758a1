"""What can go wrong at the console, split by what the person does next; the exit code says the same to a script.

TocsinError
└── ConsoleError
    ├── UsageProblem    exit 2: mend the command, the configuration or a file
    │   └── SqlRefused  exit 2: ask only to read, and only tables
    ├── AddressInUse    exit 3: another process listens there
    └── Unreachable     exit 3: nothing answers; start it
"""

from typing import ClassVar

from tocsin_wire import TocsinError

OK = 0
FINDING = 1
USAGE = 2
UNREACHABLE = 3

# Raised by the parts: the name says it, so that no heavy import is needed to map an error to an exit code.
_UNREACHABLE_NAMES = frozenset({"StoreUnavailable", "StoreInUse", "AddressInUse", "Overloaded"})


class ConsoleError(TocsinError):
    """Something at the command line or the loopback API that a person can act on."""

    exit_code: ClassVar[int] = USAGE


class UsageProblem(ConsoleError):  # noqa: N818 - says what is so
    """The command, the configuration or a file needs mending."""


class SqlRefused(UsageProblem):
    """The statement does more than read the tables of this store."""


class AccessRefused(ConsoleError):  # noqa: N818 - says what is so
    """Who asks may not do this."""


class AddressInUse(ConsoleError):  # noqa: N818 - says what is so
    """Another process listens on an address that was asked for."""

    exit_code = UNREACHABLE


class Unreachable(ConsoleError):  # noqa: N818 - says what is so
    """No running tocsin answers."""

    exit_code = UNREACHABLE


def exit_code(error: TocsinError) -> int:
    """Say with which code a command ends on this error."""
    if isinstance(error, ConsoleError):
        return error.exit_code
    return UNREACHABLE if type(error).__name__ in _UNREACHABLE_NAMES else USAGE

"""What the guard raises: one thing, and only where the host asked for it."""

from tocsin_wire import TocsinError


class FeatureOff(TocsinError):  # noqa: N818 - says what is so; nothing went wrong
    """The guard has switched a use case off, and `observe` was told ``off="raise"``.

    Attributes:
        use_case: The AI feature.
        cause: Why, in a person's or a rule's words; empty when nobody said.
    """

    def __init__(self, use_case: str, cause: str) -> None:
        super().__init__(f"{use_case} is switched off by its guard{f': {cause}' if cause else ''}")
        self.use_case = use_case
        self.cause = cause

"""The root of every error tree in tocsin."""


class TocsinError(Exception):
    """Something that tocsin can name went wrong.

    The message says what was expected, what came, and what to do. Each package draws its own tree below this one.
    """

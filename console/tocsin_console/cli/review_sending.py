"""Reviews where the API is of a process without a spool: scores go to a collector, as every outcome does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tocsin_console.client import Client
from tocsin_console.errors import UsageProblem
from tocsin_console.labels.sending import Send, sending

_SAID: Final = frozenset({"/api/review/score", "/api/review/undo"})


class Forwarding:
    """The API, with scores on their way round by a collector.

    A score is an outcome first and noted in the draw after, so one that is cut off in between is given again under the same id.

    Args:
        api: Of an evaluator or a console.
        send: Makes outcomes durable at a collector.
    """

    def __init__(self, api: Client, send: Send) -> None:
        self._api = api
        self._send = send

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask for something to be done.

        Raises:
            Unreachable: the API or the collector does not answer; nothing was noted.
            UsageProblem: one of them says what is wrong.
        """
        if path not in _SAID:
            return self._api.post(path, body)
        outcome = self._api.post(path, {**body, "recording": "asked"})["outcome"]
        if outcome is not None:
            self._send([{name: value for name, value in outcome.items() if name != "project"}])  # its key says it
        return self._api.post(path, {**body, "recording": "done"})


@contextmanager
def by_way_of(api: Client, collector: str | None, *, project: str, key: str) -> Iterator[Client | Forwarding]:
    """Give the API, or what sends its scores to a collector where one is named.

    Raises:
        UsageProblem: the collector's address is none, or it would file the scores under another project.
    """
    if collector is None:
        yield api
        return
    if project != "default" and not key:
        raise UsageProblem(
            f"expected the ingest key of project {project!r} in TOCSIN_KEY: without one a collector files scores under default"
        )
    with sending(collector, key=key) as send:
        yield Forwarding(api, send)

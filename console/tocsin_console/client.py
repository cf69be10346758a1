"""The loopback API as the commands see it."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import urllib3

from tocsin_console.config import Config
from tocsin_console.errors import Unreachable, UsageProblem
from tocsin_console.running import read_run_file
from tocsin_console.variables import ACCESS_KEY


class Client:
    """Talks to one running ``tocsin up``."""

    def __init__(self, address: str, *, where: str, timeout_s: float = 30.0, key: str = "") -> None:
        self.address = address
        self._where = where
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = urllib3.PoolManager(
            retries=False, headers=headers, timeout=urllib3.Timeout(connect=2.0, read=timeout_s)
        )

    @classmethod
    def of(cls, config: Config, *, timeout_s: float = 30.0) -> "Client":
        """Find the running ``up`` by the folder's run.json, unless an address was given."""
        facts = read_run_file(config.run_file)
        address = str(config.api) if config.api_is_given or "api" not in facts else str(facts["api"])
        where = f"in {config.data_dir}" if "api" in facts else f"at {address}"
        key = os.environ.get(ACCESS_KEY, "")
        if (
            not key and not config.api_is_given
        ):  # the folder's own secret goes to what runs in the folder, and to nobody else
            with suppress(OSError):
                key = config.owner_file.read_text(encoding="utf-8")
        return cls(address, where=where, timeout_s=timeout_s, key=key)

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """Ask for a document.

        Raises:
            Unreachable: nothing answers.
            UsageProblem: it answers, and says what is wrong with the question.
        """
        fields = {name: str(value) for name, value in (query or {}).items()}
        return self._send("GET", path, fields=fields)

    def stream(self, path: str, query: Mapping[str, str | int] | None = None) -> Iterator[bytes]:
        """Ask for something long, piece by piece; errors as for :meth:`get`, and Unreachable where it breaks off."""
        fields = {name: str(value) for name, value in (query or {}).items()}
        try:
            answer = self._http.request(
                "GET", f"http://{self.address}{path}", fields=fields, preload_content=False, enforce_content_length=True
            )
            if answer.status != 200:
                raise (Unreachable if answer.status == 503 else UsageProblem)(_sentence(json.loads(answer.data)))
            yield from answer.stream(1 << 16)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"tocsin {self._where} does not answer, or broke off: look at its log") from error

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask for something to be done; errors as for :meth:`get`."""
        headers = {**self._http.headers, "content-type": "application/json"}
        return self._send("POST", path, body=json.dumps(body).encode(), headers=headers)

    def _send(self, method: str, path: str, **how: Any) -> Any:
        try:
            answer = self._http.request(method, f"http://{self.address}{path}", **how)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise Unreachable(f"tocsin at {self.address} took too long to answer: look at its log") from error
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(
                f"no tocsin answers {self._where}: start one with 'tocsin up', and leave it running"
            ) from error
        try:
            document = json.loads(answer.data)
        except ValueError as error:
            raise Unreachable(f"expected a tocsin at {self.address}, but something else answers there") from error
        if answer.status == 503:
            raise Unreachable(_sentence(document))
        if answer.status >= 400:
            raise UsageProblem(_sentence(document))
        return document


def _sentence(document: Any) -> str:
    return str(document.get("error", document)) if isinstance(document, dict) else str(document)

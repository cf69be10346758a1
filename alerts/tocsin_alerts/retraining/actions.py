"""What a retraining sets off: a webhook, a workflow on GitHub, or a command without a shell."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from tocsin_alerts.notifiers.webhook import sign
from tocsin_wire.version import user_agent

WEB_S: Final = 30.0
COMMAND_S: Final = 300.0
GITHUB: Final = "https://api.github.com"

_READ_BYTES: Final = 2_048
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TZ")  # of our environment: no secret of ours goes to a command
_REPOSITORY: Final = re.compile(r"[\w.-]+/[\w.-]+")


class ActionFailed(Exception):  # noqa: N818 - says what happened
    """It certainly did not happen: try again."""


class ActionUnclear(Exception):  # noqa: N818 - says what happened
    """It may have happened: somebody must look before it is done again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an action is told."""

    run: str
    project: str
    use_case: str
    condition: str
    metric: str
    value: float
    n: int
    slot: str
    owner: str


class Action(Protocol):
    """Something that starts a retraining."""

    @property
    def words(self) -> str:
        """What it does, without secrets."""
        ...

    def start(self, order: Order, /) -> str:
        """Do it once, and give what it answered.

        Raises:
            ActionFailed: it did not happen.
            ActionUnclear: nobody knows.
        """
        ...


class Webhook:
    """Posts the order as JSON, signed as Standard Webhooks; its id is the run's, so that a receiver knows a repeat."""

    def __init__(
        self, url: str, *, secret: Callable[[], str], now: Callable[[], datetime], timeout_s: float = WEB_S
    ) -> None:
        self._url = url
        self._secret = secret
        self._now = now
        self._http = _Http(timeout_s)

    @property
    def words(self) -> str:
        """Name the address."""
        return f"webhook {self._url.partition('?')[0]}"

    def start(self, order: Order) -> str:
        """Post; a repeat carries the same id, so an answer that was lost is asked for again."""
        body = json.dumps({"type": "retraining.due", "data": asdict(order)}).encode()
        stamp = str(int(self._now().timestamp()))
        headers = {"webhook-id": order.run, "webhook-timestamp": stamp}
        if secret := self._secret():
            headers["webhook-signature"] = sign(secret, order.run, stamp, body)
        try:
            return self._http.post(self._url, body, headers)
        except ActionUnclear as error:
            raise ActionFailed(str(error)) from error


class GitHubDispatch:
    """Sends a ``repository_dispatch`` event.

    Source: GitHub REST API, "Create a repository dispatch event".
    """

    def __init__(
        self,
        repository: str,
        event_type: str,
        *,
        token: Callable[[], str],
        api: str = GITHUB,
        timeout_s: float = WEB_S,
    ) -> None:
        if not _REPOSITORY.fullmatch(repository):
            raise ValueError(f"expected a repository as owner/name, got {repository!r}")
        self._repository = repository
        self._event_type = event_type
        self._token = token
        self._url = f"{api.rstrip('/')}/repos/{repository}/dispatches"
        self._http = _Http(timeout_s)

    @property
    def words(self) -> str:
        """Name repository and event."""
        return f"GitHub {self._repository}, event {self._event_type}"

    def start(self, order: Order) -> str:
        """Send the event: GitHub knows no repeats, so what is unclear stays unclear."""
        body = json.dumps({"event_type": self._event_type, "client_payload": asdict(order)}).encode()
        headers = {
            "accept": "application/vnd.github+json",
            "authorization": f"Bearer {self._token()}",
            "x-github-api-version": "2022-11-28",
        }
        return self._http.post(self._url, body, headers)


class Command:
    """Runs a program of tocsin.yaml with the order as JSON on its stdin: no shell, a time, and nothing of our secrets."""

    def __init__(
        self, argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout_s: float = COMMAND_S
    ) -> None:
        if not argv:
            raise ValueError("expected a command with at least a program")
        self._argv = list(argv)
        self._folder = folder
        self._environment = {name: environment[name] for name in _PASSED_ON if name in environment}
        self._timeout_s = timeout_s

    @property
    def words(self) -> str:
        """Name the program: arguments may be private."""
        return f"command {self._argv[0]}"

    def start(self, order: Order) -> str:
        """Run it to its end; one that does not end in time is killed with all of its group."""
        said = json.dumps(asdict(order)).encode()
        try:
            process = subprocess.Popen(  # the team's own configuration, never a plan's or a call's text
                self._argv,
                cwd=self._folder,
                env={**self._environment, "TOCSIN_RETRAINING_RUN": order.run},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ActionFailed(f"{self._argv[0]} cannot be started: {error.strerror}") from error
        with process:
            try:
                output, _ = process.communicate(said, timeout=self._timeout_s)
            except subprocess.TimeoutExpired as error:
                os.killpg(
                    process.pid, signal.SIGKILL
                )  # its output is not waited for: who left the group may hold it open
                raise ActionUnclear(f"it ran longer than {self._timeout_s:g} s and was killed") from error
        text = output[-_READ_BYTES:].decode(errors="replace").strip()
        if process.returncode:
            raise ActionFailed(f"exit code {process.returncode}: {text}")
        return text or "exit code 0"


class _Http:
    """Posts JSON; only a 2xx is an answer."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout = urllib3.Timeout(connect=min(5.0, timeout_s), read=timeout_s)
        self._pool = urllib3.PoolManager(retries=False, maxsize=1)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        sent = {"content-type": "application/json", "user-agent": user_agent(), **headers}
        try:
            answer: Any = self._pool.request(
                "POST",
                url,
                body=body,
                headers=sent,
                timeout=self._timeout,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            try:
                text = answer.read(_READ_BYTES).decode(errors="replace").strip()
            finally:
                answer.release_conn()
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise ActionFailed(f"it cannot be reached: {type(error).__name__}") from error
        except HTTPError as error:
            raise ActionUnclear(f"it was sent, and no answer came: {type(error).__name__}") from error
        said = f"HTTP {answer.status}{f': {text}' if text else ''}"
        if not 200 <= answer.status < 300:
            raise ActionFailed(said)
        return said

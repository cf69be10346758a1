"""The retraining actions of tocsin.yaml, each with its way out."""

from collections.abc import Callable, Mapping
from datetime import datetime

from tocsin_alerts.retraining.actions import COMMAND_S, GITHUB, WEB_S, Action, Command, GitHubDispatch, Webhook
from tocsin_console.config import Config, secret
from tocsin_console.errors import UsageProblem


def actions_of(config: Config, *, environment: Mapping[str, str], now: Callable[[], datetime]) -> dict[str, Action]:
    """Make the actions by name; secrets are followed now, and again at each use.

    Raises:
        UsageProblem: a secret is missing, or a name stands twice.
    """
    base = config.folder
    made: dict[str, Action] = {}
    for said in config.retraining_actions:
        if said.name in made:
            raise UsageProblem(f"expected each retraining action's name once, got {said.name!r} more often")
        reference, what = said.token or said.secret or "", f"the secret of retraining action {said.name!r}"

        def read(reference: str = reference, what: str = what) -> str:
            return secret(reference, environment=environment, base=base, what=what)

        read()
        time_s = said.timeout_s
        match said.type:
            case "webhook":
                made[said.name] = Webhook(said.url or "", secret=read, now=now, timeout_s=time_s or WEB_S)
            case "github":
                made[said.name] = GitHubDispatch(
                    said.repository or "",
                    said.event_type or "",
                    token=read,
                    api=said.api or GITHUB,
                    timeout_s=time_s or WEB_S,
                )
            case "command":
                made[said.name] = Command(
                    said.command or (), folder=base, environment=environment, timeout_s=time_s or COMMAND_S
                )
    return made

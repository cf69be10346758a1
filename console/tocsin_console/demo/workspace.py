"""The folder that the demo writes for ``tocsin up``: a tocsin.yaml and a plan such as any team would write."""

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path

USE_CASE = "digit-reader"
FLOOR = 0.90
LABEL_DELAY_DAYS = 5
COST_PER_CALL_USD = 0.0004  # what a machine that reads digits costs, spread over its calls
CONFIDENCE_BAR = 0.75  # in "verify", answers below it go to a person

_CONFIGURATION = """\
# All configuration of this tocsin. Port 0 asks the system for a free one; data/run.json says which came.
data_dir: data
listen:
  grpc: 127.0.0.1:0
  http: 127.0.0.1:0
  api: 127.0.0.1:0
  guard: 127.0.0.1:0
  clickhouse: 127.0.0.1:0
channels:
  - name: on-call
    type: webhook
    url: {webhook_url}
    secret: file:webhook.secret
    severities: [page]
  - name: on-call-mail
    type: smtp
    host: 127.0.0.1
    port: {smtp_port}
    sender: tocsin@example.com
    recipients: [vision-oncall@example.com]
    tls: none
    severities: [page]
  - name: log
    type: log
    severities: [ticket, log]
"""

_PLAN = {
    "use_case": USE_CASE,
    "quality": {"measure": "accuracy", "floor": FLOOR},
    "labels": {"delay": f"{LABEL_DELAY_DAYS}d"},
    "segments": ["device"],
    "owner": "vision-team",
    "contact": "vision-oncall@example.com",
    "runbook": {
        "link": "https://wiki.example.com/runbooks/digit-reader",
        "first_steps": [
            "Look at the five example calls: is the image bad, or the answer?",
            "Compare the devices; clean or replace the scanner that is worst off",
            "When probes have recovered: tocsin guard release digit-reader",
        ],
    },
    "retraining": {
        "trigger": {"metric": "accuracy", "threshold": "0.88", "duration": "7d"},
        "action": "label 500 recent scans and run the training job",
        "owner": "ml-platform",
    },
    "fallback": {"description": "answers read: manual review needed"},
    "guard": {"mode": "automatic", "probe_share": "0.05"},
    "budget": {"per_day": "2.00", "currency": "USD"},
    "rates": {"review_per_hour": "40"},
    "privacy": {"capture": "fields"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where the demo's files are."""

    folder: Path

    @property
    def configuration(self) -> Path:
        """The tocsin.yaml."""
        return self.folder / "tocsin.yaml"

    @property
    def plan(self) -> Path:
        """The plan of the use case."""
        return self.folder / "use_cases" / f"{USE_CASE}.yaml"

    @property
    def run_file(self) -> Path:
        """Where ``up`` says on which addresses it listens."""
        return self.folder / "data" / "run.json"

    def log(self, process: str) -> Path:
        """Where a process of the demo writes its log."""
        return self.folder / f"{process}.log"

    def prepare(self, secret: str) -> None:
        """Write the secret that the webhook's sender signs with."""
        self.folder.mkdir(parents=True, exist_ok=True)
        key = self.folder / "webhook.secret"
        key.touch(mode=0o600)
        key.write_text(secret + "\n", encoding="utf-8")

    def write(self, *, webhook_url: str, smtp_port: int) -> None:
        """Write configuration and plan."""
        from tocsin_alerts.plan import render_yaml

        self.plan.parent.mkdir(parents=True, exist_ok=True)
        self.plan.write_text(render_yaml(_PLAN), encoding="utf-8")
        text = _CONFIGURATION.format(webhook_url=webhook_url, smtp_port=smtp_port)
        self.configuration.write_text(text, encoding="utf-8")


def new_secret() -> str:
    """Make a key as Standard Webhooks writes one."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode("ascii")

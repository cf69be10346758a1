"""Every verb of the command line with words that make it work, in an order in which one gives what the next one needs."""

from collections.abc import Mapping
from typing import Final

# Verbs that serve.
ELSEWHERE: Final[Mapping[str, str]] = {
    "up": "everything else asks it",
    "run": "starts the service",
    "demo": "up, a service and a receiver of messages again: bench/release.py audits it whole",
    "collector": "a part of up, over a server: not watched by itself",
    "evaluator": "as collector",
    "console": "as collector",
}
# Verbs that are refused here with a sentence, after they have asked: there is no judge, no trigger, too little data, no server, no such file.
REFUSED: Final = (
    "spool replay",
    "deadletter show",
    "deadletter retry",
    "judge run",
    "retraining start",
    "retraining close",
    "reference freeze",
    "release accept",
    "drill",
    "adopt",
    "cluster",
)
FILES: Final[Mapping[str, str]] = {
    "labels.csv": "handle,label\n{handle},billing\n",
    "training.csv": "ink,answer\n" + "".join(f"{number / 100},{number % 2}\n" for number in range(300)),
}
_LINES: Final = """\
version
status
doctor
send-test
use-cases ls
use-cases map --service shop --to shop
query SELECT+count()+FROM+calls
disk
prices ls
prices sync
alerts list --all
alerts show {incident}
alerts ack {incident} --by ana
alerts history
alerts silence digits --for 1h --because trying
alerts silences
alerts expire {silence}
alerts test-notify
incident recall {incident}
explain digits
guard show
guard set digits fallback --because trying
guard release digits
rules list
rules check
rules test
rules schema rule
rules dry-run
rules backtest error-rate --from {today}
rules budget
rules runbook error-rate
rules render error-rate --channel hook
rules render error-rate --channel chat
rules init mine --evaluator error_rate
rules diff
redact test a@b.io
keys create shop
keys ls
keys revoke {key}
spool ls
spool verify
spool replay no-such.seg --kind traces
deadletter ls
deadletter show 00
deadletter retry --all
outcomes add {handle} --label billing
outcomes load labels.csv
outcomes contradictory
review draw
review status
review next --use-case digits
review score {call} --use-case digits --score 4
judge status
judge run
cost show
cost project --users 10 --calls-per-user 3
retraining start digits --because trying
retraining close 00 nothing
reference load training.csv --use-case shop --map output=answer
reference show
reference freeze digits
release list
release accept digits
report readiness
report weekly
drill digits --drop 16 --over 60d
forget --user nobody --dry-run
plan check
plan init refunds
dashboards export grafana
migrate --data-dir another
backup --data-dir another --to file:{here}/backup
restore --data-dir another --from file:{here}/backup --overwrite
adopt
cluster status
cluster repair
"""


def lines(found: Mapping[str, str]) -> list[list[str]]:
    """Give each verb's words, with the ids that were found filled in."""
    return [[word.replace("+", " ") for word in line.format(**found).split()] for line in _LINES.splitlines()]


def names() -> set[str]:
    """Name the verbs among the words: one or two at the beginning."""
    return {" ".join(line.split()[:2]) for line in _LINES.splitlines()} | {
        line.split()[0] for line in _LINES.splitlines()
    }

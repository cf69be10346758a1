"""A plain page that says how things stand; no script, no request to anybody else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, Final

from tocsin_console.drill.standing import time_to_notice

STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .7rem; border-bottom: 1px solid #8884; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.verdict { font-weight: 600; }
.wrong { color: #d1242f; } .drifting { color: #9a6700; } .right { color: #1a7f37; }
pre { overflow-x: auto; padding: .7rem 1rem; background: #8881; }
form { display: inline-block; vertical-align: top; margin: 0 3rem 1rem 0; } label { display: block; margin: .35rem 0; }
.small { color: #888; font-size: .875rem; }
"""


def render(state: Mapping[str, Any]) -> str:
    """Write the page for one state document."""
    ledger = state["ledger"]
    balance = "balances" if ledger["balances"] else "does not balance"
    facts = (
        f"{ledger['spans_stored']:,} spans stored, {ledger['calls_stored']:,} AI calls, "
        f"{ledger['outcomes_stored']:,} outcomes; the ledger {balance}; {ledger['requests_set_aside']} requests set aside."
    )
    rows = "\n".join(_row(each) for each in state["use_cases"])
    table = (
        _table(rows)
        if rows
        else f"<p>No calls yet. Send OpenTelemetry spans to {escape(state['addresses']['grpc'])}.</p>"
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>tocsin</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/style.css"></head>
<body><h1>tocsin</h1>
<p>{escape(facts)} Evaluated through {_when(state["evaluated_through"])}. {_channels(state["channels"])}</p>
{table}
<p class="small">tocsin {escape(state["version"])}, {escape(state["store"]["kind"])} ClickHouse {escape(state["store"]["version"])},
{escape(state["clock"])} clock. Reload to see news. <a href="/report">The week</a>. Documents: <a href="/api/status">status</a>,
<a href="/api/alerts">alerts</a>, <a href="/api/rules">rules</a>, <a href="/api/notifications">notifications</a>,
<a href="/metrics">metrics</a>.</p>
</body></html>
"""


def _table(rows: str) -> str:
    heads = (
        "Use case",
        "Verdict",
        "Accuracy on outcomes",
        "Estimated without",
        "Time to notice",
        "Guard",
        "Calls",
        "Owner",
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _row(each: Mapping[str, Any]) -> str:
    word = str(each["verdict"])
    cells = (
        f"<td>{escape(each['use_case'])}</td>",
        f"<td>{_verdict(word, str(each['reason']))}</td>",
        f"<td>{_sample(each['accuracy'])}</td>",
        f"<td>{_sample(each['estimate'])}</td>",
        f"<td>{escape(time_to_notice(each['drill']))}</td>",
        f"<td>{escape(each['guard'])}</td>",
        f'<td class="number">{each["calls"]:,}</td>',
        f"<td>{escape(each['owner'] or 'unanswered')}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _verdict(word: str, reason: str) -> str:
    return f'<span class="verdict {escape(word)}">{escape(word)}</span><br><span class="small">{escape(reason)}</span>'


def _sample(sample: Mapping[str, Any] | None) -> str:
    if sample is None:
        return "never evaluated"
    if sample["value"] is None:
        return f"not enough evidence (n = {sample['n']:,}), {_when(sample['slot'])}"
    interval = ""
    if sample["lower"] is not None and sample["upper"] is not None:
        interval = f" ({sample['lower']:.1%} to {sample['upper']:.1%})"
    return f"{sample['value']:.1%}{interval}, n = {sample['n']:,}, {_when(sample['slot'])}"


def _channels(channels: Sequence[Mapping[str, Any]]) -> str:
    if any("page" in channel["severities"] and channel["type"] != "log" for channel in channels):
        return ""
    return "<strong>Nobody is told: no page channel is configured.</strong>"


def _when(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else "nothing yet"

"""The annotated form of a plan that ``tocsin plan init`` asks through and writes: one line per key."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from tocsin_alerts import documents
from tocsin_alerts.durations import format_duration

_PLAIN: Final = re.compile(r"\w[\w./%+-]*( [\w./%+-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """One key of the form: asked as ``prompt``, explained by ``example`` and ``comment``."""

    key: str  # dotted, as in the plan
    prompt: str
    example: str  # as YAML, written behind a # when nobody answered
    comment: str = ""


FORM: Final[tuple[tuple[str, tuple[Blank, ...]], ...]] = (
    (
        "1. How do we know that it is wrong?",
        (
            Blank(key="quality.measure", prompt="Quality measure", example="accuracy"),
            Blank(key="quality.floor", prompt="Floor (0 to 1)", example="0.9", comment="below it somebody is called"),
            Blank(key="quality.tolerate", prompt="Tolerated time below the floor", example="1d"),
            Blank(
                key="labels.delay", prompt="Labels usually come after", example="5d", comment="when the truth is known"
            ),
            Blank(
                key="segments",
                prompt="Segments",
                example="[device]",
                comment="inputs by which quality is kept apart too",
            ),
        ),
    ),
    (
        "2. What happens then, and who does it?",
        (
            Blank(key="owner", prompt="Owner", example="vision-team"),
            Blank(key="contact", prompt="Contact", example="vision-oncall@example.com"),
            Blank(key="runbook.link", prompt="Runbook link", example="https://wiki.example.com/runbooks/digits"),
            Blank(key="runbook.first_steps", prompt="First steps", example='["look at the five example calls"]'),
        ),
    ),
    (
        "3. What triggers a retraining?",
        (
            Blank(key="retraining.trigger.metric", prompt="Trigger metric", example="accuracy"),
            Blank(key="retraining.trigger.threshold", prompt="Trigger threshold", example="0.88"),
            Blank(key="retraining.trigger.duration", prompt="Trigger duration", example="7d"),
            Blank(
                key="retraining.action", prompt="Retraining action", example="run the training job on the last 90 days"
            ),
            Blank(key="retraining.owner", prompt="Retraining owner", example="ml-platform"),
            Blank(key="retraining.cooldown", prompt="Not again for", example="14d"),
        ),
    ),
    (
        "4. What do users get in the meantime?",
        (
            Blank(key="fallback.description", prompt="Fallback", example="answers read manual review needed"),
            Blank(
                key="guard.mode",
                prompt="Guard mode (shadow or automatic)",
                example="shadow",
                comment="shadow: only says that it would have tripped; automatic: trips",
            ),
            Blank(
                key="guard.probe_share",
                prompt="Probe share",
                example="0.05",
                comment="of calls that still reach the model in fallback, to see it recover",
            ),
            Blank(key="guard.hold", prompt="Minimum hold", example="1h"),
            Blank(
                key="guard.fail_mode",
                prompt="Guard state while tocsin is unreachable",
                example="normal",
                comment="at least this careful: normal keeps the last known state",
            ),
        ),
    ),
    (
        "5. What may it cost?",
        (
            Blank(key="budget.per_day", prompt="Budget a day", example="20"),
            Blank(key="budget.currency", prompt="Currency", example="USD"),
            Blank(key="rates.review_per_hour", prompt="An hour of review costs", example="40"),
            Blank(key="rates.support_per_hour", prompt="An hour of support costs", example="55"),
            Blank(key="rates.incident_per_hour", prompt="An hour of whoever is paged costs", example="90"),
        ),
    ),
    (
        "Privacy: none, fields or content of each call is kept",
        (Blank(key="privacy.capture", prompt="What of a call may be kept", example="fields"),),
    ),
)


def render_yaml(answers: Mapping[str, Any]) -> str:
    """Write an annotated plan; what nobody answered stands behind a ``#`` with an example.

    Args:
        answers: By dotted key or nested; ``use_case`` is needed, ``project`` is kept when given.
    """
    flat = dict(_flatten(answers))
    lines = ["# The plan of one use case. What is left open is shown as unanswered, never guessed."]
    lines += [f"{key}: {_yaml(flat[key])}" for key in ("use_case", "project") if key in flat]
    written: set[tuple[str, ...]] = set()
    for title, blanks in FORM:
        lines += ["", f"# {title}"]
        for index, blank in enumerate(blanks):
            *parents, leaf = blank.key.split(".")
            given = flat.get(blank.key) is not None
            for depth in range(1, len(parents) + 1):
                path = tuple(parents[:depth])
                if path in written:
                    continue
                prefix = ".".join(path) + "."
                mark = "" if any(_is_given(flat, b.key, prefix) for b in blanks[index:]) else "# "
                written.add(path)
                lines.append(f"{mark}{'  ' * (depth - 1)}{parents[depth - 1]}:")
            value = _yaml(flat[blank.key]) if given else blank.example
            comment = f"  # {blank.comment}" if blank.comment else ""
            lines.append(f"{'' if given else '# '}{'  ' * len(parents)}{leaf}: {value}{comment}")
    return "\n".join(lines) + "\n"


def _is_given(flat: Mapping[str, Any], key: str, prefix: str) -> bool:
    return key.startswith(prefix) and flat.get(key) is not None


def _flatten(answers: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in answers.items():
        if isinstance(value, Mapping):
            flat += _flatten(value, f"{prefix}{key}.")
        else:
            flat.append((f"{prefix}{key}", value))
    return flat


def _yaml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return format_duration(value)
    text = str(value)
    # Whatever would not be read back as the same text is quoted: an owner called 007, a colon or # in an answer.
    plain = not isinstance(value, str) or (bool(_PLAIN.fullmatch(text)) and documents.plain_scalar(text) == text)
    return text if plain else '"' + _escape(text) + '"'


def _escape(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)

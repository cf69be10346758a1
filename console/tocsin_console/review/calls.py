"""A call as a reviewer reads it, and the handle by which its score finds it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tocsin_console.errors import UsageProblem
from tocsin_console.review.draw import PICKED, Store
from tocsin_console.statements import statement
from tocsin_wire import pack_handle
from tocsin_wire.v1.outcomes_pb2 import CallRef

SOURCE: Final = "review"  # of outcomes of drawn calls; of picked ones it is their stratum
NO_CONTENT: Final = (
    "the content of this call was not captured: set TOCSIN_CAPTURE=sampled (and TOCSIN_REVIEW_SHARE) where the call is made "
    "to keep it for a share of calls, or redacted for all; see docs/instrumentation/privacy.md"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One piece of what was asked or answered."""

    kind: str  # system, input, output
    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to be judged."""

    facts: Mapping[str, Any]  # a row of review_call.sql
    texts: Sequence[Text]  # captured content; empty when there is none

    def shown(self) -> dict[str, Any]:
        """Describe it for whoever judges it."""
        facts = self.facts
        return {
            "call_id": facts["call_id"],
            "started_at": facts["started_at"],
            "model": facts["model_version"] or facts["model_name"],
            "confidence": facts["confidence"],
            "inputs": {**facts["input_strings"], **facts["input_numbers"]},
            "label": facts["output_label"],
            "value": facts["output_value"],
            "output_text": facts["output_text"],
            "content": [{"kind": each.kind, "role": each.role, "text": each.text} for each in self.texts],
            "no_content": "" if self.texts else NO_CONTENT,
        }


def find(store: Store, *, project: str, use_case: str, call_id: str, started_at: datetime) -> Call | None:
    """Look one call up; None when it is gone."""
    asked = {"project": project, "use_case": use_case, "call_id": call_id, "started_at": started_at}
    found = store.rows(statement("review_call"), asked)
    if not found:
        return None
    [facts] = found
    content = {
        "project": project,
        "started_at": started_at,
        "call_id": call_id,
        "call_key": facts["call_key"],
    }
    texts = [
        Text(kind=row["kind"], role=row["role"], text=_readable(row["content"]))
        for row in store.rows(statement("review_content"), content)
    ]
    return Call(facts=facts, texts=texts)


def handle_of(facts: Mapping[str, Any], *, use_case: str, selection_probability: float) -> str:
    """Print a call as a handle whose weight is how many calls the drawn one stands for.

    Raises:
        UsageProblem: nobody can have drawn it with such a probability.
    """
    if not selection_probability > 0:
        raise UsageProblem(f"expected a selection probability above 0, got {selection_probability}")
    call = CallRef(
        use_case=use_case,
        call_id=facts["call_id"],
        started_unix_nano=facts["started_ns"],
        model_version=facts["model_version"],
        prompt_version=facts["prompt_version"],
        served_by=facts["served_by"],
        is_probe=bool(facts["is_probe"]),
        weight=1 / selection_probability,
        segments=dict(facts["segments"]),
    )
    if facts["output_label"]:
        call.label = facts["output_label"]
    elif facts["output_value"] is not None:
        call.value = facts["output_value"]
    if facts["confidence"] is not None:
        call.confidence = facts["confidence"]
    return pack_handle(call)


def outcome_of(
    facts: Mapping[str, Any], item: Mapping[str, Any], said: Mapping[str, Any], *, by: str
) -> dict[str, Any]:
    """Write the outcome of what was said of a call.

    Of a picked call it carries minutes, comment and the right label, and no verdict: what people choose to look at is no
    sample, and every statistic reads verdicts.

    Args:
        facts: Of the call, a row of ``review_call.sql``.
        item: Of the draw, a row of ``review_items``.
        said: Fields of the outcome.
        by: The reviewer.

    Raises:
        UsageProblem: nobody can have drawn it with its probability.
    """
    use_case, named = item["use_case"], hashlib.sha256(f"review\0{item['draw']}\0{item['call_id']}".encode())
    common = {
        "project": item["project"],
        "kind": "review",
        "source": SOURCE,
        "outcome_id": named.hexdigest()[:32],  # one a call and draw: what is said last replaces what was said before
        "author": by,
    }
    if item["stratum"] != PICKED:
        handle = handle_of(facts, use_case=use_case, selection_probability=item["selection_probability"])
        return {"handle": handle, **common, **said}
    silent = {**facts, "output_label": "", "output_value": None}  # or a verdict would be concluded from the two labels
    handle = handle_of(silent, use_case=use_case, selection_probability=1.0)
    kept = {name: value for name, value in said.items() if name not in {"score", "correct"}}
    return {"handle": handle, **common, **kept, "source": PICKED}


def _readable(content: str) -> str:
    """Write a list of messages as people read it; anything else as it came."""
    try:
        said = json.loads(content)
    except ValueError:
        return content
    lines = [line for each in (said if isinstance(said, list) else [said]) if (line := _line(each))]
    return "\n".join(lines) or content


def _line(message: Any) -> str:
    if isinstance(message, str):
        return message
    if not isinstance(message, Mapping):
        return ""
    parts = message.get("parts", message.get("content"))
    if isinstance(parts, str):
        text = parts
    elif isinstance(parts, list):
        text = " ".join(_part(part) for part in parts if _part(part))
    else:
        text = ""
    role = str(message.get("role") or "")
    return f"{role}: {text}" if role and text else text


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    return str(part.get("content") or part.get("text") or "") if isinstance(part, Mapping) else ""
